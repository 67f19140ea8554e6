/** Finds the entry of a feature, and decides whether it may be used. */
import { basename } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { findDeclarationRefusal, type Lookup } from '../app/lookup.ts';
import { pinnedId } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { refuseUnread } from '../base/file-error.ts';
import { platformOf } from '../base/platform.ts';
import { PLAIN, parseEntryName } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { isPathError, listStores, resolveEntry } from './access.ts';
import { listCandidates } from './candidates.ts';
import { findForgery } from './contents.ts';
import { findMismatch, type Manifest, readManifest } from './manifest.ts';
import { findRetirement } from './retire.ts';

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

/** Results of earlier searches. */
export interface Known {
  /** Directories of damaged entries to one clause each. */
  damages?: ReadonlyMap<string, string> | undefined;
  /** Names in ABI directories; filled by each search. */
  names?: Map<string, string[]> | undefined;
}

/**
 * Finds the valid entry of a feature: in the first store that has one, the highest version. A damaged or foreign
 * candidate is a miss. A candidate that could not be read is not a miss: see `unread`.
 *
 * @param abi directory of this process's ABI; entries of plain JavaScript are found too
 */
export function findEntry(lookup: Lookup, abi: string, { damages, names }: Known = {}): FoundEntry {
  const { settings, feature } = lookup;
  const rejected: string[] = [];
  const damaged: Damaged[] = [];
  if (findDeclarationRefusal(lookup) !== undefined) return { rejected, damaged };
  let blocked: Refusal | undefined;
  let unread: Refusal | undefined;
  const onUnread = (error: unknown, path: string): void => {
    unread ??= refuseUnread(error, path);
  };
  const { pin } = lookup.readLock();
  // A lock that does not cover this platform pins no valid id.
  const pinned = pin && (pinnedId(pin.sidecar, platformOf(abi)) ?? '');
  const abis = [abi, PLAIN];
  for (const store of listStores(settings)) {
    const search = { store, feature, abis, pinned, rejected, onUnread, names };
    for (const path of listCandidates(search)) {
      try {
        const id = parseEntryName(basename(path))?.id;
        const judgement =
          pinned === undefined || pinned === id
            ? judge({ lookup, store, path, damages })
            : { reason: `${path} is not what the lock pins` };
        if ('entry' in judgement) return { entry: judgement.entry, rejected, damaged };
        rejected.push(judgement.reason);
        if (judgement.damaged !== undefined) damaged.push(judgement.damaged);
        blocked ??= judgement.blocked;
      } catch (error) {
        onUnread(error, path);
      }
    }
  }
  return { rejected, damaged, ...(blocked && { blocked }), ...(unread && { unread }) };
}

/** A candidate to judge. */
interface Candidate {
  lookup: Lookup;
  store: string;
  path: string;
  damages: Known['damages'];
}

type Judgement = { entry: Entry } | { reason: string; damaged?: Damaged; blocked?: Refusal };

/** @throws errors of the file system that leave open what the entry is */
function judge(candidate: Candidate): Judgement {
  const { store, path } = candidate;
  try {
    return judgeEntry(candidate, resolveEntry(store, path));
  } catch (error) {
    if (error instanceof AnnexError) return { reason: error.refusal.reason };
    const code = codeOf(error);
    if (code !== undefined && !isPathError(error)) throw error;
    return { reason: `${path} cannot be accessed (${code ?? 'unreadable'})` };
  }
}

function judgeEntry({ lookup, store, path, damages }: Candidate, dir: string): Judgement {
  const { settings, feature } = lookup;
  const { root } = settings.core;
  const sidecar = lookup.readLock().pin?.sidecar;
  const isLayer = store !== settings.store;
  const reject = (damage: string): Judgement => ({
    reason: `${path} is damaged: ${damage}`,
    damaged: { dir, isLayer, damage },
  });
  const damage = damages?.get(dir);
  if (damage !== undefined) return reject(damage);
  const retired = findRetirement(store, path);
  if (retired !== undefined) return { reason: `${path} was retired: ${retired.reason}` };
  const read = readManifest(dir);
  if ('foreign' in read) return { reason: `${path}: ${read.foreign}` };
  if ('damage' in read) return reject(read.damage);
  const { manifest } = read;
  // The id does not cover versions in core: those that the lock states must match as well.
  const locked = sidecar && { ...manifest, specs: sidecar.specs, shared: sidecar.shared };
  const mismatch =
    findMismatch(manifest, feature, root) ?? (locked && findMismatch(locked, feature, root));
  if (mismatch !== undefined) {
    const forgery = sidecar && findForgery(dir, manifest, sidecar);
    return forgery === undefined ? { reason: `${path}: ${mismatch}` } : reject(forgery);
  }
  const refusal = findBlockedRefusal(lookup, manifest.closure);
  if (refusal !== undefined) return { reason: `${path}: ${refusal.reason}`, blocked: refusal };
  return { entry: { feature: feature.name, dir, isLayer, manifest } };
}
