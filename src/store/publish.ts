/** Builds an entry in a staging directory, and publishes it with one rename. */
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
import {
  type DirHandle,
  ignoreErrors,
  makeIn,
  makeMissing,
  openIn,
  sampleNames,
  useDir,
  withDir,
} from './directory.ts';
import { sweepKept } from './kept.ts';
import { isAbandoned, nameOwner, parseOwned } from './owner.ts';
import { findRetirement, sweepRetired } from './retire.ts';
import { type Allowance, tryRemoveIn } from './tree.ts';

/** Names that one install reads to clean up after other processes. */
const MAX_NAMES = 1_000;
/** Abandoned staging directories that one install removes. */
const MAX_SWEPT = 50;
/** Files and directories that one install removes for other processes. */
const MAX_REMOVED = 20_000;

/**
 * Makes the missing directories of a store. In a store that a group may write, the group may write them too: its
 * members install under several user ids.
 *
 * @returns one clause for each name that is taken by something else; a step that needs the directory fails later
 * @throws errors of the file system, and an AnnexError when nothing can be made
 */
export function makeStore(store: string, abi: string): string[] {
  // With an umask of 0 the store would be writable by everybody, and its own user would not trust it.
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
        return findObstacle(dir, name) ?? [];
      }),
    );
  });
}

function findObstacle(dir: DirHandle, name: string): string | undefined {
  try {
    openIn(dir, name).close();
    return undefined;
  } catch (error) {
    if (error instanceof AnnexError) return error.refusal.reason;
    throw error;
  }
}

/**
 * Makes a directory and those above it; returns whether it was missing. mkdir's `recursive` reports ENOENT for
 * every failure.
 */
export function makeDirectory(dir: string, mode: number): boolean {
  if (lstatSync(dir, { throwIfNoEntry: false }) !== undefined) return false;
  makeDirectory(dirname(dir), mode);
  return makeMissing(dir, mode);
}

/**
 * Makes a staging directory for a feature. Removes what dead installers left and entries past their grace period,
 * both within the allowance: nobody can slow an install down by adding more.
 */
export function makeStaging(
  store: string,
  feature: Feature,
  allowance: Allowance = { left: MAX_REMOVED },
): string {
  const newName = (): string => `${feature.slug}.${nameOwner()}`;
  const name = newName();
  withDir(store, [VERSION, STAGING], (dir) => {
    for (const other of listAbandoned(dir, feature.slug)) {
      // Renamed first: its owner may only be stopped, and must not continue in half a directory.
      const target = newName();
      const isRenamed = ignoreErrors(() => renameSync(dir.at(other), dir.at(target)));
      if (isRenamed) tryRemoveIn(dir, target, allowance);
    }
    mkdirSync(dir.at(name), { mode: 0o755 });
  });
  // `makeStore` has reported an obstacle in the place of that directory.
  ignoreErrors(() => sweepRetired(store, Date.now(), allowance));
  sweepKept(store, Date.now(), allowance);
  return join(stagingRoot(store), name);
}

function listAbandoned(dir: DirHandle, slug: string): string[] {
  const isOld = (name: string): boolean => {
    const { base, owner } = parseOwned(name) ?? {};
    return owner !== undefined && isAbandoned(owner, base === slug);
  };
  return sampleNames(dir, MAX_NAMES).filter(isOld).slice(0, MAX_SWEPT);
}

/** Removes a staging directory, as far as possible. */
export function sweepStaged(store: string, staging: string): void {
  ignoreErrors(() =>
    withDir(store, [VERSION, STAGING], (dir) => tryRemoveIn(dir, basename(staging))),
  );
}

/**
 * Publishes a finished staging directory with one rename: the whole entry becomes visible, or nothing.
 *
 * @returns directory of the entry; undefined when an entry of this name exists, or was retired
 */
export function publish(
  store: string,
  staging: string,
  name: { abi: string; slug: string; id: string; nonce: string },
): string | undefined {
  const entryName = toEntryName(name);
  const target = join(abiRoot(store, name.abi), entryName);
  return withDir(store, [VERSION, name.abi], (dir) => {
    if (lstatSync(dir.at(entryName), { throwIfNoEntry: false }) !== undefined) return undefined;
    if (findRetirement(store, target) !== undefined) return undefined;
    try {
      withDir(store, [VERSION, STAGING], (from) => {
        const staged = basename(staging);
        useDir(openIn(from, staged), (each) => chmodSync(each.at(), 0o755));
        renameSync(from.at(staged), dir.at(entryName));
      });
      return target;
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) return undefined;
      throw error;
    }
  });
}
