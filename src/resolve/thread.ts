/** The state of annex in one thread: the settings, and the entries that were chosen. */
import { resolve } from 'node:path';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { toRealPath } from '../app/core.ts';
import { type Lookup, refreshLookup } from '../app/lookup.ts';
import { HERE, version } from '../base/own-files.ts';
import { isWithin, versionRoot } from '../base/store-layout.ts';
import { readLentEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import { makeLocalFailure } from '../status/failure-memory.ts';
import { findInstallRefusal } from '../status/refusals.ts';
import { listStores } from '../store/access.ts';
import type { Entry, FoundEntry } from '../store/entry.ts';
import { type Failure, isRemembered } from '../store/failures.ts';
import { createFinder, type Finder, isVerifiedAtLoad, type Unfit } from '../store/finder.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Depth } from '../store/verify.ts';
import type { LoaderKind, Refusal } from '../types.ts';

/** Choices that are made in another thread of the same module graph, and ours told to it. */
export interface ChoiceLink {
  receive: () => Entry[];
  send: (entry: Entry) => void;
}

/** A file that asks for a feature. */
export interface Requester {
  parent: string | undefined;
  kind: 'import' | 'require';
}

/** A store or layer in its two forms. */
export interface Place {
  /** As configured, without a slash at its end. */
  store: string;
  /** Its real path when the thread started; of what it would be made in, when it did not exist. */
  real: string;
}

/** What a thread knows. */
export interface Thread {
  settings: Settings;
  /** The store and its layers. */
  places: Place[];
  loader: LoaderKind;
  /** Where annex's own files are, unless this copy of it is part of a bundle. */
  home: string | undefined;
  /** Failures that this thread saw, by feature: for stores that cannot be written. */
  failures: Map<string, Failure>;
  /** How a feature was last asked for, by its name. */
  requesters: Map<string, Requester>;
  /** What this thread found in the stores, and verified. */
  finder: Finder;
  /** The entry that this thread chose, else the valid one in the stores, which is then chosen. */
  choose: (lookup: Lookup) => FoundEntry;
  /**
   * Judges and verifies an entry that this thread meets, unless it has done so.
   *
   * @param dir its directory, a real path
   */
  meet: (dir: string) => Unfit | undefined;
  /** The one manifest of an entry that counts in this thread, given its real path; see `Finder.findManifest`. */
  findManifest: (dir: string) => Manifest | undefined;
}

/**
 * Makes the state of a thread. The entry that was first chosen for a feature stays its choice, so
 * that two entries never mix in one module graph.
 */
export function createThread(settings: Settings, loader: LoaderKind, link?: ChoiceLink): Thread {
  const chosen = new Map<string, Entry>();
  const finder = createFinder(settings, chooseDepth(settings));
  const places = listStores(settings).map((store) => ({
    store: resolve(store),
    real: toRealPath(store),
  }));
  const isPlaced = ({ dir }: Entry): boolean =>
    places.some(({ real }) => isWithin(dir, versionRoot(real)));
  const receive = (): void => {
    for (const entry of link?.receive() ?? []) {
      if (chosen.has(entry.feature)) continue;
      chosen.set(entry.feature, entry);
      finder.adopt(entry);
    }
  };
  const choose = (lookup: Lookup): FoundEntry => {
    const { feature } = lookup;
    receive();
    const known = chosen.get(feature.name);
    if (known !== undefined) return { entry: known, rejected: [], damaged: [] };
    const found = finder.find(lookup);
    if (found.entry !== undefined && !isPlaced(found.entry)) return refuseMoved(found.entry);
    if (found.entry !== undefined) {
      chosen.set(feature.name, found.entry);
      link?.send(found.entry);
    }
    return found;
  };
  const meet = (dir: string): Unfit | undefined => {
    receive();
    return finder.verify(dir);
  };
  const findManifest = (dir: string): Manifest | undefined => {
    receive();
    return finder.findManifest(dir);
  };
  const remembered = { failures: new Map(), requesters: new Map() };
  return {
    settings,
    places,
    loader,
    home: HERE,
    ...remembered,
    finder,
    choose,
    meet,
    findManifest,
  };
}

/** Files of such an entry would be neither contained nor verified, for the hooks know stores by their paths. */
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

/** How much of an entry is verified when a thread first uses it; undefined: nothing. */
export function chooseDepth(settings: Settings): Depth | undefined {
  if (settings.verify === 'off') return undefined;
  return isVerifiedAtLoad(settings) ? 'unseen' : 'all';
}

/**
 * Remembers in this thread that a feature failed, unless nothing would be gained by waiting, or the
 * store remembers it: each memory has a next try of its own, and only one can be told.
 *
 * @returns the refusal with its next try: the store's, when it remembers, else this thread's
 */
export function rememberFailure(thread: Thread, before: Lookup, refusal: Refusal): Refusal {
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

/** By version: what another version of annex keeps in the same process has another shape. */
const KEY: unique symbol = Symbol.for(`annex.thread@${version}`);
type Holder = { [KEY]?: Thread };

/** The state of this thread, when the loader is active in it, whichever copy of this version made it. */
export function getActiveThread(): Thread | undefined {
  return (globalThis as Holder)[KEY];
}

/**
 * Makes this the state of the thread, once.
 *
 * @throws when globalThis takes no properties
 */
export function setActiveThread(thread: Thread): void {
  Object.defineProperty(globalThis, KEY, { value: thread, configurable: true });
}

/** Takes it back: the loader could not be registered. */
export function clearActiveThread(): void {
  Reflect.deleteProperty(globalThis, KEY);
}

const SHARED = `annex.settings@${version}`;

/**
 * The settings of the main thread, for its workers: an empty `env` must not lift the seal. Null when
 * the loader is off there, which has been said once and for all.
 */
export function getSharedSettings(): Settings | null | undefined {
  return getEnvironmentData(SHARED) as unknown as Settings | null | undefined;
}

/**
 * Hands the settings of the main thread to the workers that it starts from now on. Any code in a worker
 * can read them: they hold no secret.
 */
export function shareSettings(settings: Settings | null): void {
  if (!isMainThread) return;
  const shared: Settings | null = settings && {
    ...settings,
    startEnv: { ...readLentEnv(), ...settings.startEnv },
    notices: [],
  };
  setEnvironmentData(SHARED, shared as never);
}
