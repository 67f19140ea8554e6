/** Generations of entries that are not to be used any more: marked first, removed after a grace period. */
import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import {
  abiRoot,
  isAbiName,
  parseEntryName,
  RETIRED,
  retirementName,
  VERSION,
} from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { type DirHandle, makeIn, openDir, sampleNames, useDir, withDir } from './directory.ts';
import { type Allowance, removeIn, tryRemoveIn } from './tree.ts';

/** How long a retired generation stays for the processes that still run on it, ms. */
export const GRACE = 24 * 60 * 60_000;

/** Names that are looked at in a sweep with an allowance: whoever can write the store can make any number. */
const MOST = 1_000;

/**
 * Marks a generation: from now on no process chooses it, and those that run on it keep its files for
 * the grace period. The mark is there at once and whole enough: its being there is what counts.
 *
 * @param reason one clause
 * @throws errors of the file system
 */
export function retire(store: string, entry: string, reason: string): void {
  try {
    inRetired(store, (dir) => writeFileSync(dir.at(retirementName(entry)), reason, { flag: 'wx' }));
  } catch (error) {
    // The first mark counts: its time is when the grace period began.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * When a generation was retired, ms since the epoch; undefined when it was not.
 *
 * @throws errors of the file system
 */
export function findRetiredAt(store: string, entry: string): number | undefined {
  try {
    return withDir(
      store,
      [VERSION, RETIRED],
      (dir) => lstatSync(dir.at(retirementName(entry))).mtimeMs,
    );
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof AnnexError) return undefined;
    throw error;
  }
}

/**
 * Takes an entry out of sight with one rename, then removes it.
 *
 * @param entry its directory, in the store
 */
export function discard(store: string, entry: string, allowance?: Allowance): void {
  inRetired(store, (dir) => {
    const name = randomUUID();
    withDir(store, [VERSION, basename(dirname(entry))], (from) =>
      renameSync(from.at(basename(entry)), dir.at(name)),
    );
    removeIn(dir, name, allowance);
  });
}

/** A store that was baked has no such directory yet. */
function inRetired<T>(store: string, use: (dir: DirHandle) => T): T {
  withDir(store, [VERSION], (dir) => makeIn(dir, RETIRED));
  return withDir(store, [VERSION, RETIRED], use);
}

/** Whether what was retired then may go now. A clock that was set back must not keep it for ever. */
export const isPastGrace = (since: number, now: number): boolean => Math.abs(now - since) > GRACE;

/**
 * Removes what was retired longer ago than the grace period, and trees that were not removed to
 * their end. What is not this user's to remove stays for its owner.
 *
 * @param now wall clock, ms since the epoch
 * @param allowance for a part of the work only; without it all is done
 * @returns directories of the entries that were removed
 */
export function sweepRetired(store: string, now: number, allowance?: Allowance): string[] {
  const removed: string[] = [];
  useDir(openDir(store, VERSION, RETIRED), (dir) => {
    const names = allowance === undefined ? readdirSync(dir.at()) : sampleNames(dir, MOST);
    for (const name of names) {
      const [, abi = '', entryName = ''] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
      if (!isAbiName(abi) || parseEntryName(entryName) === undefined) {
        tryRemoveIn(dir, name, allowance);
        continue;
      }
      try {
        if (!isPastGrace(lstatSync(dir.at(name)).mtimeMs, now)) continue;
        const entry = join(abiRoot(store, abi), entryName);
        if (lstatSync(entry, { throwIfNoEntry: false }) !== undefined) {
          discard(store, entry, allowance);
          removed.push(entry);
        }
        // Last: until then nobody publishes a generation of this name.
        unlinkSync(dir.at(name));
      } catch {
        // It belongs to another user, or is being removed at this moment.
      }
    }
  });
  return removed;
}
