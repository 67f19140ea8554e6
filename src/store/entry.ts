/** Finds the entry of a feature, and decides whether it may be used. */
import { basename, join } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { findDeclarationRefusal, type Lookup } from '../app/lookup.ts';
import { pinnedId } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { refuseUnread } from '../base/file-error.ts';
import { platformOf } from '../base/platform.ts';
import { abiRoot, PLAIN, parseEntryName } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { isPathError, listStores } from './access.ts';
import { listCandidates } from './candidates.ts';
import { findForgery } from './contents.ts';
import { DIRECT, type Look } from './look.ts';
import { findMismatch, type Manifest } from './manifest.ts';
import { isNoexec, NOEXEC, refuseNoexec } from './noexec.ts';
import { isRestorable } from './retire.ts';
import { describeOtherAbi, listOtherAbis, toUnfit, UNBAKED, type UnfitEntry } from './unfit.ts';

/** A published entry that this process may use. */
export interface Entry {
  feature: string;
  /** Real path of the entry's directory. */
  dir: string;
  /** Whether it is in a layer, not in the store. */
  isLayer: boolean;
  manifest: Manifest;
}

/** The result of a search: an entry, or why each candidate was rejected. */
export interface FoundEntry {
  entry?: Entry;
  /** One clause for each rejected candidate. */
  rejected: string[];
  /** The damaged ones of them. */
  damaged: Damaged[];
  /** A candidate is valid, but contains a blocked package. */
  blocked?: Refusal;
  /** Without an entry: the first one that is there and does not fit, with a remedy of its own. */
  unfit?: UnfitEntry;
  /** Path of an entry that prune has retired, and that fits: an install takes it back, without a request. */
  restorable?: string;
  /** A store or a candidate could not be read: whether there is an entry is unknown, and no install may start. */
  unread?: Refusal;
}

/** An entry that differs from what was published. */
export interface Damaged {
  dir: string;
  isLayer: boolean;
  /** One clause about a file of it. */
  damage: string;
}

/** What a search takes from earlier ones. */
export interface Known {
  /** Directories of damaged entries to one clause each. */
  damages?: ReadonlyMap<string, string> | undefined;
  /** By default each search looks again. */
  look?: Look | undefined;
  /** Compares the files of an entry that fits, before it is returned. Returns a clause on its damage. */
  compare?: ((entry: Entry) => string | undefined) | undefined;
}

/**
 * Finds the valid entry of a feature: in the first store that has one, the highest version. A damaged or foreign
 * candidate is a miss. A candidate that could not be read is not a miss: see `unread`.
 *
 * @param abi directory of this process's ABI; entries of plain JavaScript are found too
 */
export function findEntry(lookup: Lookup, abi: string, known: Known = {}): FoundEntry {
  const { settings, feature } = lookup;
  const rejected: string[] = [];
  const damaged: Damaged[] = [];
  if (findDeclarationRefusal(lookup) !== undefined) return { rejected, damaged };
  let blocked: Refusal | undefined;
  let unread: Refusal | undefined;
  let unfit: UnfitEntry | undefined;
  let restorable: string | undefined;
  const onUnread = (error: unknown, path: string): void => {
    unread ??= refuseUnread(error, path);
  };
  const pinned = findPinned(lookup, abi);
  const abis = [abi, PLAIN];
  const { look = DIRECT } = known;
  for (const store of listStores(settings)) {
    const search = { store, feature, abis, pinned, rejected, onUnread, look };
    for (const path of listCandidates(search)) {
      try {
        const judgement = judgeEntry({ lookup, store, path, pinned, known });
        if ('entry' in judgement) return { entry: judgement.entry, rejected, damaged };
        rejected.push(judgement.reason);
        unfit ??= toUnfit(judgement, store !== settings.store);
        // Another install would publish into the same mount.
        if (judgement.state === 'noexec' && store === settings.store) {
          unread ??= { ...refuseNoexec(judgement.reason), isUnread: true };
        }
        if (judgement.damaged !== undefined) damaged.push(judgement.damaged);
        blocked ??= judgement.blocked;
        if (judgement.isRestorable && store === settings.store) restorable ??= path;
      } catch (error) {
        onUnread(error, path);
      }
    }
  }
  unfit ??= findForOtherAbi(lookup, abi, { ...known, compare: undefined });
  if (settings.layers.length > 0) unfit ??= UNBAKED;
  return {
    rejected,
    damaged,
    ...(blocked && { blocked }),
    ...(unread && { unread }),
    ...(unfit && { unfit }),
    ...(restorable && { restorable }),
  };
}

/** Finds an entry that another Node or platform would use. Layers come first: nothing else puts a fitting one there. */
function findForOtherAbi(lookup: Lookup, own: string, known: Known): UnfitEntry | undefined {
  const { store, layers } = lookup.settings;
  const { look = DIRECT } = known;
  for (const each of store === undefined ? layers : [...layers, store]) {
    try {
      for (const abi of listOtherAbis(each, own)) {
        const pinned = findPinned(lookup, abi);
        for (const name of look.listNames(each, abi, lookup.feature.slug)) {
          const path = join(abiRoot(each, abi), name);
          const judgement = judgeEntry({ lookup, store: each, path, pinned, known });
          if ('entry' in judgement) return describeOtherAbi(path, abi, each !== store);
        }
      }
    } catch {
      // The search has failed because of it, or it says nothing about this Node.
    }
  }
  return undefined;
}

/**
 * The only id that a lock allows on a platform; empty when the lock does not cover it, undefined without a lock.
 *
 * @param abi of Node, not `any`
 */
export function findPinned(lookup: Lookup, abi: string): string | undefined {
  const { pin } = lookup.readLock();
  return pin && (pinnedId(pin.sidecar, platformOf(abi)) ?? '');
}

/** A candidate to judge. */
export interface Candidate {
  lookup: Lookup;
  store: string;
  path: string;
  /** As `findPinned` returns it. */
  pinned: string | undefined;
  known?: Known;
}

/** Why an entry is not used, for a table. */
export type Unfitness =
  | 'other lock'
  | 'other declaration'
  | 'retired'
  | 'damaged'
  | 'blocked'
  | 'unreadable'
  | 'not trusted'
  | 'noexec';

/** The verdict on one candidate: the entry, or why it is rejected. */
export type Judgement =
  | { entry: Entry }
  | {
      state: Unfitness;
      reason: string;
      damaged?: Damaged;
      blocked?: Refusal;
      isRestorable?: boolean;
    };

/**
 * Judges one candidate. The way to one that is known to be damaged is not looked at again.
 *
 * @throws errors of the file system that leave open what the entry is
 */
export function judgeEntry(candidate: Candidate): Judgement {
  const { store, path, pinned, known: { damages, look = DIRECT } = {} } = candidate;
  if (pinned !== undefined && pinned !== parseEntryName(basename(path))?.id) {
    return { state: 'other lock', reason: `${path} is of another lock` };
  }
  try {
    return judgeContent(candidate, damages?.has(path) ? path : look.resolve(store, path));
  } catch (error) {
    if (error instanceof AnnexError) return { state: 'not trusted', reason: error.refusal.reason };
    const code = codeOf(error);
    if (code !== undefined && !isPathError(error)) throw error;
    return { state: 'unreadable', reason: `${path} cannot be accessed (${code ?? 'unreadable'})` };
  }
}

function judgeContent(candidate: Candidate, dir: string): Judgement {
  const { store, path, known: { damages, look = DIRECT, compare } = {} } = candidate;
  const known = damages?.get(dir);
  if (known !== undefined) return toDamaged(candidate, dir, known);
  const retired = look.findRetirement(store, path);
  if (retired !== undefined) {
    return {
      state: 'retired',
      reason: `${path} was retired: ${retired.reason}`,
      isRestorable: isRestorable(retired, Date.now()) && 'entry' in judgeFit(candidate, dir),
    };
  }
  const found = judgeFit(candidate, dir);
  const damage = 'entry' in found ? compare?.(found.entry) : undefined;
  return damage === undefined ? found : toDamaged(candidate, dir, damage);
}

const toDamaged = ({ lookup, store, path }: Candidate, dir: string, damage: string): Judgement => ({
  state: 'damaged',
  reason: `${path} is damaged: ${damage}`,
  damaged: { dir, isLayer: store !== lookup.settings.store, damage },
});

/** Whether an entry that is not retired would be used, as far as its files are not compared. */
function judgeFit(candidate: Candidate, dir: string): Judgement {
  const { lookup, store, path, known: { look = DIRECT } = {} } = candidate;
  const { settings, feature } = lookup;
  const sidecar = lookup.readLock().pin?.sidecar;
  const read = look.readManifest(dir, path);
  if ('foreign' in read) return { state: 'unreadable', reason: `${path}: ${read.foreign}` };
  if ('damage' in read) return toDamaged(candidate, dir, read.damage);
  const { manifest } = read;
  // The id does not cover versions in core: those that the lock states must match as well.
  const locked = sidecar && { ...manifest, specs: sidecar.specs, shared: sidecar.shared };
  const { root } = settings.core;
  const mismatch =
    findMismatch(manifest, feature, root) ?? (locked && findMismatch(locked, feature, root));
  if (mismatch !== undefined) {
    const forgery = sidecar && findForgery(dir, manifest, sidecar);
    if (forgery !== undefined) return toDamaged(candidate, dir, forgery);
    return { state: 'other declaration', reason: `${path}: ${mismatch}` };
  }
  const refusal = findBlockedRefusal(lookup, manifest.closure);
  if (refusal !== undefined) {
    return { state: 'blocked', reason: `${path}: ${refusal.reason}`, blocked: refusal };
  }
  if (isNoexec(dir)) return { state: 'noexec', reason: `${path}: ${NOEXEC}` };
  return { entry: { feature: feature.name, dir, isLayer: store !== settings.store, manifest } };
}
