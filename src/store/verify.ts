/** Holds an entry's files against its listing, and the listing against the lock. */
import { type Dirent, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Sidecar } from '../app/pin.ts';
import { digest } from '../base/digest.ts';
import { readText } from '../base/files.ts';
import { showName } from '../base/messages.ts';
import { FILES, MANIFEST, parseEntryName } from '../base/store-layout.ts';
import { codeOf, isTransient } from '../base/thrown.ts';
import { identify } from '../plan/identity.ts';
import { createJudge, type Kind } from './additions.ts';
import { readListed } from './listed.ts';
import {
  type Expected,
  expectFiles,
  type Files,
  findNotGenerated,
  isUnseen,
  measureListings,
  parseFiles,
} from './listing.ts';
import type { Manifest } from './manifest.ts';
import { canReach, leadsNowhere } from './reach.ts';

/** One thing in an entry that is not as it was published. */
export interface Difference {
  /** Below the entry, with slashes. */
  path: string;
  problem: 'changed' | 'missing' | 'added' | 'unreadable';
}

/** How much is looked at: every file, or names and what Node's loader never reads. */
export type Depth = 'all' | 'unseen';

/** Stops every look-up at the top of an entry: without a name, exports or imports. */
const BARRIER = 'package.json';
/** Bytes; it may be written with spaces. */
const MOST_BARRIER = 4096;

const TOP: ReadonlyMap<string, 'file' | 'directory'> = new Map([
  [BARRIER, 'file'],
  [MANIFEST, 'file'],
  [FILES, 'file'],
  ['node_modules', 'directory'],
]);

/** Of a listing that no lock limits, bytes; an install writes none that is longer. */
export const MOST_LISTED = 32 * 2 ** 20;
/** Of what scripts have made, which no lock can know. */
export const MOST_GENERATED = 4 * 2 ** 20;

/** What an entry is to hold. */
export interface Contents {
  files: Expected;
  /** Names that it takes from core. */
  shared: ReadonlySet<string>;
  /** Those of them that install scripts made or changed, and what they removed. */
  generated: string[];
}

/**
 * The files that an entry is to hold.
 *
 * @param dir its directory
 * @param sidecar the lock in the core that anchors it; without one the entry's own word counts
 * @returns what is wrong with the listing itself, as one clause
 */
export function readExpected(
  dir: string,
  manifest: Manifest,
  sidecar: Sidecar | undefined,
): Contents | string {
  const files = readFiles(dir, sidecar);
  if (files === undefined) return `${FILES} cannot be read`;
  const wrong = sidecar && findUnanchored(dir, files, manifest, sidecar);
  if (wrong !== undefined) return wrong;
  const { scripts } = sidecar ?? manifest;
  const strange = findNotGenerated(files.generated, manifest.closure, scripts);
  if (strange !== undefined) return `${FILES} lists ${strange} as made by a script`;
  return {
    files: expectFiles(files),
    shared: new Set(Object.keys(manifest.shared)),
    generated: [...files.generated.keys()],
  };
}

function readFiles(dir: string, sidecar: Sidecar | undefined): Files | undefined {
  const most =
    sidecar === undefined
      ? MOST_LISTED
      : measureListings(sidecar.packages) + (sidecar.scripts.length > 0 ? MOST_GENERATED : 0);
  try {
    return parseFiles(readText(join(dir, FILES), most));
  } catch (error) {
    return rethrowPassing(error, undefined);
  }
}

/** Why a manifest is not that of the id that the lock pins, as one clause. */
export function findForgery(
  dir: string,
  { closure, skipped = [], shared, private: own }: Manifest,
  { scripts }: Sidecar,
): string | undefined {
  const content = { closure: [...closure, ...skipped], shared, private: own, scripts };
  return identify(content) === parseEntryName(basename(dir))?.id
    ? undefined
    : `${MANIFEST} is not what was locked`;
}

/** The manifest by its id, the listings by their digests. */
function findUnanchored(
  dir: string,
  { packages }: Files,
  manifest: Manifest,
  sidecar: Sidecar,
): string | undefined {
  const forgery = findForgery(dir, manifest, sidecar);
  if (forgery !== undefined) return forgery;
  for (const [path, listing] of packages) {
    if (digest(listing) !== sidecar.packages[path]?.listing) {
      return `${FILES} is not what was locked: ${path}`;
    }
  }
  const missing = manifest.closure.find(
    ({ path }) => path in sidecar.packages && !packages.has(path),
  );
  return missing && `${FILES} lacks ${missing.path}`;
}

/** How an entry is compared. */
export interface Comparison {
  depth: Depth;
  /** Whether every load from the entry is verified: see `createJudge`. */
  isWatched: boolean;
  /** How many differences are enough. */
  most?: number;
  /** Told of what was added and is no damage: the top of it, when it is a directory. */
  onHarmless?: (path: string) => void;
}

/**
 * Compares what stands in an entry with what is to stand there.
 *
 * @throws errors of the file system that say nothing about the entry
 */
export function findDifferences(
  dir: string,
  { files, shared }: Contents,
  { depth, isWatched, most = Number.POSITIVE_INFINITY, onHarmless }: Comparison,
): Difference[] {
  const found: Difference[] = [];
  const judge = createJudge(files, shared, isWatched);
  let seen = 0;
  const add = (path: string, problem: Difference['problem']): number =>
    found.push({ path, problem });
  const list = (path: string, isInstalled: boolean): Dirent[] => {
    try {
      return readdirSync(join(dir, path), { withFileTypes: true });
    } catch (error) {
      const counts = isInstalled || canReach(join(dir, path), error);
      if (counts) add(path || '.', rethrowPassing(error, 'unreadable'));
      return [];
    }
  };
  const visit = (path: string, isInstalled: boolean): void => {
    for (const entry of list(path, isInstalled)) {
      if (found.length >= most) return;
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      if (path === '' && TOP.has(entry.name)) continue;
      const wanted = files.get(below);
      const kind = entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'file';
      if (wanted === undefined) visitOther(below, kind, isInstalled);
      else {
        seen++;
        const isLoaded = depth === 'unseen' && entry.isFile() && !isUnseen(below);
        if (!isLoaded) check(below, wanted, entry);
      }
    }
  };
  /** A directory, which no listing names, or something that was added. */
  const visitOther = (path: string, kind: Kind, isInstalled: boolean): void => {
    const verdict = judge(path, kind);
    if (verdict === 'matters') add(path, 'added');
    if (verdict === 'harmless' && isInstalled) onHarmless?.(path);
    if (kind === 'directory') visit(path, isInstalled && verdict === 'installed');
  };
  const check = (path: string, wanted: string, entry: { isFile(): boolean }): void => {
    const problem = compare(join(dir, path), wanted, entry.isFile());
    if (problem !== undefined) add(path, problem);
  };
  try {
    checkTop(dir, add);
  } catch (error) {
    add(BARRIER, rethrowPassing(error, 'unreadable'));
  }
  visit('', true);
  visit('node_modules', true);
  if (seen < files.size && found.length < most) {
    for (const path of files.keys()) if (!isThere(join(dir, path))) add(path, 'missing');
  }
  return found;
}

/** `node_modules/a/index.js is changed`, or the like: one clause. */
export const describeDifference = ({ path, problem }: Difference): string =>
  `${showName(path)} ${SAID[problem]}`;

const SAID: Record<Difference['problem'], string> = {
  changed: 'is not what was installed',
  missing: 'is missing',
  added: 'was not installed',
  unreadable: 'cannot be read',
};

function checkTop(dir: string, add: (path: string, problem: Difference['problem']) => void): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other';
    const wanted = TOP.get(entry.name);
    if (wanted !== undefined && wanted !== kind) add(entry.name, 'changed');
  }
  if (readText(join(dir, BARRIER), MOST_BARRIER).replace(/\s/g, '') !== '{"private":true}') {
    add(BARRIER, 'changed');
  }
}

/** @param wanted a value of a listing */
function compare(path: string, wanted: string, isFile: boolean): Difference['problem'] | undefined {
  try {
    const isSame = isFile ? readListed(path, wanted) : `-> ${readlinkSync(path)}` === wanted;
    return isSame ? undefined : 'changed';
  } catch (error) {
    return rethrowPassing(error, codeOf(error) === 'EINVAL' ? 'changed' : 'unreadable');
  }
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return !leadsNowhere(error);
  }
}

function rethrowPassing<T>(error: unknown, otherwise: T): T {
  if (isTransient(error)) throw error;
  return otherwise;
}
