/** Retired generations of entries: a mark takes an entry out of use, and it is removed after a grace period. */
import { lstatSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { readText } from '../base/files.ts';
import {
  abiRoot,
  isAbiName,
  parseEntryName,
  RETIRED,
  retirementName,
  VERSION,
} from '../base/store-layout.ts';
import { codeOf, isNotFound } from '../base/thrown.ts';
import { type DirHandle, ignoreErrors, makeIn, sampleNames, withDir } from './directory.ts';
import { type Allowance, removeIn, tryRemoveIn } from './tree.ts';

/** How long a retired entry stays for the processes that run on it, ms. */
export const GRACE = 24 * 60 * 60_000;

/** Names read in a limited sweep: any user who can write the store can create any number of them. */
const MAX_NAMES = 1_000;
/** Bytes of a mark that is read, and characters of it that a message repeats: others may be able to write it. */
const MAX_MARK = 2 ** 16;
const MAX_REASON = 1_000;

/** How the reason begins for an entry that nothing is wrong with: it was not needed. */
export const UNNEEDED = 'annex prune: ';
/** No entry is restored in the last hour of the grace period, since the clocks of hosts differ. In ms. */
const MARGIN = 60 * 60_000;

/** The mark of a retired entry. */
export interface Retirement {
  reason: string;
  /** When the entry was retired, ms since the epoch. */
  at: number;
}

/**
 * Marks an entry: no process chooses it any more, and processes that run on it keep its files for the grace
 * period. The existence of the mark is what counts, so it need not be written atomically.
 *
 * @param reason one clause
 * @throws errors of the file system
 */
export function retire(store: string, entry: string, reason: string): void {
  try {
    withRetired(store, (dir) =>
      writeFileSync(dir.at(retirementName(entry)), reason, { flag: 'wx' }),
    );
  } catch (error) {
    // The first mark stays: its time is the start of the grace period.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * The mark of an entry; undefined without one.
 *
 * @param entry its directory, which may be removed already
 * @throws errors of the file system that leave open whether there is a mark
 */
export function findRetirement(store: string, entry: string): Retirement | undefined {
  try {
    return withDir(store, [VERSION, RETIRED], (dir) => {
      const mark = dir.at(retirementName(entry));
      // Read first: lstat can return remembered attributes of a mark that another host has removed.
      return { reason: readReason(mark), at: lstatSync(mark).mtimeMs };
    });
  } catch (error) {
    if (isNotFound(error) || error instanceof AnnexError) return undefined;
    throw error;
  }
}

/** Whether an entry can be used again: prune retired it, and nothing is about to remove it. */
export const isRestorable = ({ reason, at }: Retirement, now: number): boolean =>
  reason.startsWith(UNNEEDED) && Math.abs(now - at) < GRACE - MARGIN;

/** Removes the mark of an entry. @returns whether it is gone: another process may have removed it */
export function restore(store: string, entry: string): boolean {
  try {
    withDir(store, [VERSION, RETIRED], (dir) => unlinkSync(dir.at(retirementName(entry))));
    return true;
  } catch (error) {
    return isNotFound(error);
  }
}

/** A mark that cannot be read is a mark. */
function readReason(mark: string): string {
  try {
    return readText(mark, MAX_MARK).slice(0, MAX_REASON);
  } catch (error) {
    return `its mark cannot be read (${codeOf(error)})`;
  }
}

/** Moves an entry out of sight with one rename, then removes it. */
export function discard(store: string, entry: string, allowance?: Allowance): void {
  withRetired(store, (dir) => {
    // Loaded late: the preload never removes an entry.
    const name = process.getBuiltinModule('node:crypto').randomUUID();
    withDir(store, [VERSION, basename(dirname(entry))], (from) =>
      renameSync(from.at(basename(entry)), dir.at(name)),
    );
    removeIn(dir, name, allowance);
  });
}

/** A baked store has no such directory yet. */
function withRetired<T>(store: string, use: (dir: DirHandle) => T): T {
  withDir(store, [VERSION], (dir) => makeIn(dir, RETIRED));
  return withDir(store, [VERSION, RETIRED], use);
}

/** Whether the grace period is over. A clock that was set back must not extend it. */
export const isPastGrace = (since: number, now: number): boolean => Math.abs(now - since) > GRACE;

/**
 * Removes entries past their grace period, and the rest of trees whose removal was interrupted. What belongs
 * to another user stays for its owner.
 *
 * @param now wall clock, ms since the epoch
 * @param allowance limits the work; without it everything is removed
 * @returns directories of the removed entries
 */
export function sweepRetired(store: string, now: number, allowance?: Allowance): string[] {
  const removed: string[] = [];
  withDir(store, [VERSION, RETIRED], (dir) => {
    const names = allowance === undefined ? readdirSync(dir.at()) : sampleNames(dir, MAX_NAMES);
    for (const name of names) {
      const [, abi = '', entryName = ''] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
      if (!isAbiName(abi) || parseEntryName(entryName) === undefined) {
        tryRemoveIn(dir, name, allowance);
        continue;
      }
      ignoreErrors(() => {
        if (!isPastGrace(lstatSync(dir.at(name)).mtimeMs, now)) return;
        const entry = join(abiRoot(store, abi), entryName);
        if (lstatSync(entry, { throwIfNoEntry: false }) !== undefined) {
          discard(store, entry, allowance);
          removed.push(entry);
        }
        // Last: the mark keeps other processes from publishing an entry of this name.
        unlinkSync(dir.at(name));
      });
    }
  });
  return removed;
}
