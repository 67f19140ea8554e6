/** Building an entry in staging, and the one rename that makes it visible. */
import { chmodSync, lstatSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import {
  abiRoot,
  FAILURES,
  LOCKS,
  PLAIN,
  RETIRED,
  STAGING,
  stagingRoot,
  toEntryName,
  VERSION,
} from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import { type DirHandle, makeIn, openIn, sampleNames, useDir, withDir } from './directory.ts';
import { isAbandoned, nameOwner, parseOwned } from './owner.ts';
import { sweepRetired } from './retired.ts';
import { findRetirement } from './retirement.ts';
import { type Allowance, tryRemoveIn } from './tree.ts';

/** What one install does at most for others: names that it looks at, */
const MOST_NAMES = 1_000;
/** staging directories that it sweeps, */
const MOST_SWEPT = 50;
/** and files and directories that it removes. */
const MOST_REMOVED = 20_000;

/**
 * Makes the directories of a store that are not there yet. In a store that a group may write, so
 * may what is made in it: its members install under several user ids.
 *
 * @returns what has the name of one and is none, as one clause each: whoever needs it fails
 * @throws errors of the file system; an error with a refusal when nothing can be made at all
 */
export function makeStore(store: string, abi: string): string[] {
  // An umask of 0 must not make a store that its own user then may not trust.
  const mode = process.geteuid?.() === 0 ? 0o755 : 0o775;
  makeDirectory(store, mode);
  return withDir(store, [], (root) => {
    const isGroupStore = (statSync(root.at()).mode & 0o020) !== 0;
    const make = (dir: DirHandle, name: string): void => {
      if (!makeIn(dir, name, mode) || !isGroupStore) return;
      useDir(openIn(dir, name), (made) => chmodSync(made.at(), 0o2775));
    };
    make(root, VERSION);
    return useDir(openIn(root, VERSION), (dir) =>
      [abi, PLAIN, STAGING, LOCKS, FAILURES, RETIRED].flatMap((name) => {
        make(dir, name);
        return findJunk(dir, name) ?? [];
      }),
    );
  });
}

function findJunk(dir: DirHandle, name: string): string | undefined {
  try {
    openIn(dir, name).close();
    return undefined;
  } catch (error) {
    if (error instanceof AnnexError) return error.refusal.reason;
    throw error;
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
 * time is over; of either a bounded part, so that nobody can make an install slow by adding more.
 */
export function makeStaging(
  store: string,
  feature: Feature,
  allowance: Allowance = { left: MOST_REMOVED },
): string {
  const nameOne = (): string => `${feature.slug}.${nameOwner()}`;
  const name = nameOne();
  withDir(store, [VERSION, STAGING], (dir) => {
    for (const other of pickDebris(dir, feature.slug)) {
      sweepStaging(dir, other, nameOne(), allowance);
    }
    mkdirSync(dir.at(name), { mode: 0o755 });
  });
  try {
    sweepRetired(store, Date.now(), allowance);
  } catch {
    // Junk in the place of its directory has been reported.
  }
  return join(stagingRoot(store), name);
}

/** Names of what is to be swept: a part of it. */
function pickDebris(dir: DirHandle, slug: string): string[] {
  const isSwept = (name: string): boolean => {
    const { base, owner } = parseOwned(name) ?? {};
    return owner !== undefined && isAbandoned(owner, base === slug);
  };
  return sampleNames(dir, MOST_NAMES).filter(isSwept).slice(0, MOST_SWEPT);
}

/** First out of the way, in one rename: its owner may only stand still, and must not go on in half of it. */
function sweepStaging(dir: DirHandle, name: string, ours: string, allowance: Allowance): void {
  try {
    renameSync(dir.at(name), dir.at(ours));
  } catch {
    // Somebody else has taken it away.
    return;
  }
  tryRemoveIn(dir, ours, allowance);
}

/** Removes a staging directory, or what is left of it. */
export function sweepStaged(store: string, staging: string): void {
  try {
    withDir(store, [VERSION, STAGING], (dir) => tryRemoveIn(dir, basename(staging)));
  } catch {
    // It is gone already.
  }
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
  return withDir(store, [VERSION, name.abi], (dir) => {
    const entry = basename(target);
    if (lstatSync(dir.at(entry), { throwIfNoEntry: false }) !== undefined) return undefined;
    if (findRetirement(store, target) !== undefined) return undefined;
    try {
      move(store, basename(staging), dir.at(entry));
      return target;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return undefined;
      throw error;
    }
  });
}

function move(store: string, staged: string, target: string): void {
  withDir(store, [VERSION, STAGING], (from) => {
    useDir(openIn(from, staged), (dir) => chmodSync(dir.at(), 0o755));
    renameSync(from.at(staged), target);
  });
}
