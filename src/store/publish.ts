/** Building an entry in staging, and the one rename that makes it visible. */

import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../errors.ts';
import type { Feature } from '../types.ts';
import { findRetirement } from './entry.ts';
import { abiRoot, stagingRoot, toEntryName, versionRoot } from './layout.ts';
import { isDebris, nameOwner, splitOwned } from './owner.ts';
import { sweepRetired } from './retired.ts';
import { sweep } from './tree.ts';

/**
 * Makes the directories of a store that are not there yet. In a store that a group may write, so
 * may what is made in it: its members install under several user ids.
 */
export function makeStore(store: string, abi: string): void {
  // An umask of 0 must not make a store that its own user then may not trust.
  const mode = process.geteuid?.() === 0 ? 0o755 : 0o775;
  makeDirectory(store, mode);
  const isGroupStore = (lstatSync(store).mode & 0o020) !== 0;
  const dirs = [versionRoot(store), abiRoot(store, abi), abiRoot(store, 'any')];
  const own = ['staging', 'locks', 'failures', 'retired'].map((name) => abiRoot(store, name));
  for (const dir of [...dirs, ...own]) {
    if (makeDirectory(dir, mode) && isGroupStore) chmodSync(dir, 0o2775);
  }
}

/**
 * Makes a directory and those above it; true when it was not there. Not `recursive`: whatever goes
 * wrong there, it says ENOENT.
 */
export function makeDirectory(dir: string, mode: number): boolean {
  if (lstatSync(dir, { throwIfNoEntry: false }) !== undefined) return false;
  makeDirectory(dirname(dir), mode);
  try {
    mkdirSync(dir, { mode });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * A fresh staging directory of a feature. What dead installers left goes, and so do entries whose
 * time is over.
 */
export function makeStaging(store: string, feature: Feature): string {
  const root = stagingRoot(store);
  const nameOne = (): string => join(root, `${feature.slug}.${nameOwner()}`);
  for (const name of readdirSync(root)) {
    const { base, owner } = splitOwned(name) ?? {};
    if (owner !== undefined && isDebris(owner, base === feature.slug)) {
      sweepStaging(join(root, name), nameOne());
    }
  }
  sweepRetired(store, Date.now());
  const dir = nameOne();
  mkdirSync(dir, { mode: 0o755 });
  return dir;
}

/** First out of the way, in one rename: its owner may only stand still, and must not go on in half of it. */
function sweepStaging(dir: string, ours: string): void {
  try {
    renameSync(dir, ours);
  } catch {
    // Somebody else has taken it away.
    return;
  }
  sweep(ours);
}

/**
 * Publishes a finished staging directory: one rename, which either makes the whole entry visible
 * or nothing.
 *
 * @returns the entry's directory; undefined when that generation stands there already, or has stood
 *   there and was retired
 */
export function publish(
  store: string,
  staging: string,
  name: { abi: string; slug: string; id: string; nonce: string },
): string | undefined {
  const target = join(abiRoot(store, name.abi), toEntryName(name));
  if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) return undefined;
  if (findRetirement(store, target) !== undefined) return undefined;
  try {
    chmodSync(staging, 0o755);
    renameSync(staging, target);
    return target;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return undefined;
    throw error;
  }
}
