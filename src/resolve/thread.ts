/** Per-thread loader state: the settings and the chosen entries. */
import { resolve } from 'node:path';
import { type Lookup, refreshLookup } from '../app/lookup.ts';
import { pathExists } from '../base/files.ts';
import { HERE } from '../base/own-files.ts';
import { toRealPath } from '../base/paths.ts';
import { isWithin, versionRoot } from '../base/store-layout.ts';
import type { Settings } from '../settings/settings.ts';
import { makeLocalFailure } from '../status/failure-memory.ts';
import { findInstallRefusal } from '../status/refusals.ts';
import { listStores } from '../store/access.ts';
import type { Entry, FoundEntry } from '../store/entry.ts';
import { type Failure, isRemembered } from '../store/failures.ts';
import {
  createFinder,
  type Finder,
  type FirstUse,
  isVerifiedAtLoad,
  type Unfit,
} from '../store/finder.ts';
import type { Look } from '../store/look.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Depth } from '../store/verify.ts';
import type { LoaderKind, Refusal } from '../types.ts';

/** Exchanges choices with the other thread of the same module graph. */
export interface ChoiceLink {
  receive: () => Entry[];
  send: (entry: Entry) => void;
}

/** The request that last asked for a feature. */
export interface Requester {
  parent: string | undefined;
  kind: 'import' | 'require';
}

/** A store or layer, as configured and as a real path. */
export interface StorePath {
  /** As configured, without a slash at its end. */
  store: string;
  /** Its real path when the thread started; below the nearest existing directory when it did not exist. */
  real: string;
}

/** Per-thread loader state. */
export interface Thread {
  settings: Settings;
  /** The store and its layers. */
  stores: StorePath[];
  loader: LoaderKind;
  /** Directory of the files of annex; undefined when this copy of annex is part of a bundle. */
  home: string | undefined;
  /** Failures by feature that the store could not remember. */
  failures: Map<string, Failure>;
  /** The installs that are running without blocking, as `installOnce` keeps them. */
  installs: Map<string, Promise<void>>;
  /** Called by the modules that stand in for features; see hooks/postpone.ts. */
  resume?: (...args: never[]) => void;
  /** The last request for each feature, by its name. */
  requesters: Map<string, Requester>;
  /** Finds and verifies entries; verifies each of them once. */
  finder: Finder;
  /** The entry that this thread has chosen; else chooses the valid one in the stores. */
  choose: (lookup: Lookup) => FoundEntry;
  /** Chooses as `choose` does, and compares the entry as a whole, once. */
  chooseWhole: (lookup: Lookup) => FoundEntry;
  /** Takes back the choice of an entry that turned out to be damaged. */
  reject: (dir: string, damage: string) => void;
  /**
   * Judges and verifies an entry that was reached by its path, once.
   *
   * @param dir real path of its directory
   */
  verify: (dir: string) => Unfit | undefined;
  /** The manifest of an entry, given its real path; see `Finder.findManifest`. */
  findManifest: (dir: string) => Manifest | undefined;
}

/** Options of `createThread`. */
export interface ThreadOptions {
  link?: ChoiceLink | undefined;
  /** Of a command that judges many entries. */
  look?: Look;
}

/**
 * Creates the state of a thread. The entry that was first chosen for a feature stays its choice, so that two
 * entries never mix in one module graph.
 */
export function createThread(
  settings: Settings,
  loader: LoaderKind,
  { link, look }: ThreadOptions = {},
): Thread {
  const chosen = new Map<string, Entry>();
  const finder = createFinder(
    settings,
    loader === 'inactive' ? chooseDepth(settings) : chooseFirstUse(settings),
    look === undefined ? {} : { look },
  );
  const stores = listStores(settings).map((store) => ({
    store: resolve(store),
    real: toRealPath(store),
  }));
  const isBelowStore = ({ dir }: Entry): boolean =>
    stores.some(({ real }) => isWithin(dir, versionRoot(real)));
  const receive = (): void => {
    for (const entry of link?.receive() ?? []) {
      if (chosen.has(entry.feature)) continue;
      chosen.set(entry.feature, entry);
      finder.adopt(entry);
    }
  };
  const reject = (dir: string, damage: string): void => {
    // An entry that was removed meanwhile may be installed again, in the same place.
    if (pathExists(dir)) finder.damages.set(dir, damage);
    for (const [name, entry] of chosen) if (entry.dir === dir) chosen.delete(name);
  };
  const choose = (lookup: Lookup, isWhole = false): FoundEntry => {
    const { feature } = lookup;
    receive();
    const known = chosen.get(feature.name);
    const damage = known && isWhole ? finder.scan(known.dir) : undefined;
    if (known !== undefined && damage === undefined) {
      return { entry: known, rejected: [], damaged: [] };
    }
    if (known !== undefined && damage !== undefined) reject(known.dir, damage);
    const found = finder.find(lookup, isWhole);
    if (found.entry !== undefined && !isBelowStore(found.entry)) return refuseMoved(found.entry);
    if (found.entry !== undefined) {
      chosen.set(feature.name, found.entry);
      link?.send(found.entry);
    }
    return found;
  };
  const verify = (dir: string): Unfit | undefined => {
    receive();
    return finder.verify(dir);
  };
  const findManifest = (dir: string): Manifest | undefined => {
    receive();
    return finder.findManifest(dir);
  };
  return {
    settings,
    stores,
    loader,
    home: HERE,
    failures: new Map(),
    installs: new Map(),
    requesters: new Map(),
    finder,
    choose: (lookup) => choose(lookup),
    chooseWhole: (lookup) => choose(lookup, true),
    reject,
    verify,
    findManifest,
  };
}

/** The hooks know stores by their paths: files of this entry would be neither contained nor verified. */
const refuseMoved = ({ dir }: Entry): FoundEntry => ({
  rejected: [],
  damaged: [],
  unread: {
    code: 'ANNEX_STORE_UNUSABLE',
    reason: `the path of the store leads to ${dir} now, and led elsewhere when this process started`,
    hint: 'start the process again',
    isUnread: true,
  },
});

/** How much of an entry is verified at once, by a command; undefined for nothing. */
export function chooseDepth(settings: Settings): Depth | undefined {
  if (settings.verify === 'off') return undefined;
  return isVerifiedAtLoad(settings) ? 'bypass' : 'all';
}

/** What a thread compares when it first uses an entry; undefined for nothing. */
const chooseFirstUse = (settings: Settings): FirstUse | undefined =>
  settings.verify === 'load' ? 'natives' : chooseDepth(settings);

/**
 * Remembers in this thread that a feature failed, unless the store remembers it or a later attempt would fail
 * alike.
 *
 * @returns the refusal with its next attempt: that of the store, else that of this thread
 */
export function rememberInThread(thread: Thread, before: Lookup, refusal: Refusal): Refusal {
  const { failures } = thread;
  if (!isRemembered(refusal) || refusal.state !== undefined) return refusal;
  const lookup = refreshLookup(before);
  const { feature } = lookup;
  const known = findInstallRefusal(lookup, {});
  if (known !== undefined)
    return known.state === undefined ? known : { ...refusal, state: known.state };
  const last = failures.get(feature.name);
  const failure = makeLocalFailure(lookup, refusal, last);
  failures.set(feature.name, failure);
  return findInstallRefusal(lookup, {}, { local: failure }) ?? refusal;
}
