/** Generations of entries that are not to be used any more: marked first, removed after a grace period. */
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../errors.ts';
import { abiRoot, parseEntryName, retiredRoot, retirementPath } from './layout.ts';
import { removeTree, sweep } from './tree.ts';

/** How long a retired generation stays for the processes that still run on it, ms. */
export const GRACE = 24 * 60 * 60_000;

/**
 * Marks a generation: from now on no process chooses it, and those that run on it keep its files for
 * the grace period. The mark is there at once and whole enough: its being there is what counts.
 *
 * @param reason one clause
 * @throws errors of the file system
 */
export function retire(store: string, entry: string, reason: string): void {
  mkdirSync(retiredRoot(store), { recursive: true });
  try {
    writeFileSync(retirementPath(store, entry), reason, { flag: 'wx' });
  } catch (error) {
    // The first mark counts: its time is when the grace period began.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Takes an entry out of sight with one rename, then removes it. */
export function discard(store: string, entry: string): void {
  const target = join(retiredRoot(store), randomUUID());
  mkdirSync(retiredRoot(store), { recursive: true });
  renameSync(entry, target);
  removeTree(target);
}

/** Whether what was retired then may go now. A clock that was set back must not keep it for ever. */
export const isPastGrace = (since: number, now: number): boolean => Math.abs(now - since) > GRACE;

/**
 * Removes what was retired longer ago than the grace period, and trees that were not removed to
 * their end. What is not this user's to remove stays for its owner.
 *
 * @param now wall clock, ms since the epoch
 * @returns directories of the entries that were removed
 */
export function sweepRetired(store: string, now: number): string[] {
  const root = retiredRoot(store);
  const removed: string[] = [];
  for (const name of readdirSync(root)) {
    const path = join(root, name);
    const [, abi = '', entryName = ''] = /^([^.]+)\.(.+)$/.exec(name) ?? [];
    if (parseEntryName(entryName) === undefined) {
      sweep(path);
      continue;
    }
    try {
      if (!isPastGrace(lstatSync(path).mtimeMs, now)) continue;
      const entry = join(abiRoot(store, abi), entryName);
      if (lstatSync(entry, { throwIfNoEntry: false }) !== undefined) {
        discard(store, entry);
        removed.push(entry);
      }
      // Last: until then nobody publishes a generation of this name.
      rmSync(path, { force: true });
    } catch {
      // It belongs to another user, or is being removed at this moment.
    }
  }
  return removed;
}
