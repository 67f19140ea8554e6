/** Compares the files of an entry with its listing. */
import { type Dirent, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../base/digest.ts';
import { readRegular, readText } from '../base/files.ts';
import { showName } from '../base/messages.ts';
import { BARRIER, FILES, MANIFEST } from '../base/store-layout.ts';
import { codeOf, isTransient } from '../base/thrown.ts';
import { createJudge, type Kind } from './additions.ts';
import type { Contents } from './contents.ts';
import { canBypassLoader, sizeOf } from './listing.ts';

/** A difference between an entry and what was published. */
export interface Difference {
  /** Below the entry, with slashes. */
  path: string;
  problem: 'changed' | 'missing' | 'added' | 'unreadable';
}

/** The extent of a comparison: every file, or every name and the files that can bypass Node's loader. */
export type Depth = 'all' | 'bypass';

/** How to compare an entry. */
export interface Comparison {
  depth: Depth;
  /** Whether every load from the entry is verified: see `createJudge`. */
  isWatched: boolean;
  /** Number of differences after which the comparison ends. */
  max?: number;
  /** Called with each harmless addition; of a directory only with its top. */
  onHarmless?: (path: string) => void;
}

/** Bytes of the barrier, which may be formatted with spaces. */
const MAX_BARRIER = 4096;

const TOP: ReadonlyMap<string, 'isFile' | 'isDirectory'> = new Map([
  [BARRIER, 'isFile'],
  [MANIFEST, 'isFile'],
  [FILES, 'isFile'],
  ['node_modules', 'isDirectory'],
]);

/**
 * Compares an entry with its contents: the barrier, then every directory, then missing files.
 *
 * @throws transient errors of the file system
 */
export function findDifferences(
  dir: string,
  { files, shared }: Contents,
  { depth, isWatched, max = Number.POSITIVE_INFINITY, onHarmless }: Comparison,
): Difference[] {
  const found: Difference[] = [];
  const judge = createJudge(files, shared, isWatched);
  let met = 0;
  const add = (path: string, problem: Difference['problem'] | undefined): void => {
    if (problem !== undefined) found.push({ path, problem });
  };
  const list = (path: string, isInstalled: boolean): Dirent[] => {
    try {
      return readdirSync(join(dir, path), { withFileTypes: true });
    } catch (error) {
      if (isInstalled || canReach(join(dir, path), error)) add(path || '.', toProblem(error));
      return [];
    }
  };
  const compareDirectory = (path: string, isInstalled: boolean): void => {
    for (const entry of list(path, isInstalled)) {
      if (found.length >= max) return;
      const isOfKind = path === '' ? TOP.get(entry.name) : undefined;
      if (isOfKind !== undefined) {
        if (!entry[isOfKind]()) add(entry.name, 'changed');
        continue;
      }
      const below = path === '' ? entry.name : `${path}/${entry.name}`;
      const value = files.get(below);
      if (value === undefined) {
        compareUnlisted(below, entry, isInstalled);
        continue;
      }
      met++;
      const isVerifiedLater = depth === 'bypass' && entry.isFile() && !canBypassLoader(below);
      if (!isVerifiedLater) add(below, compareFile(join(dir, below), value, entry.isFile()));
    }
  };
  /** Compares a directory, which no listing names, or judges an addition. */
  const compareUnlisted = (path: string, entry: Dirent, isInstalled: boolean): void => {
    const kind = toKind(entry);
    const effect = judge(path, kind);
    if (effect === 'matters') add(path, 'added');
    if (effect === 'harmless' && isInstalled) onHarmless?.(path);
    if (kind === 'directory') compareDirectory(path, isInstalled && effect === 'installed');
  };
  const findMissing = (): void => {
    if (met === files.size || found.length >= max) return;
    for (const path of files.keys()) if (isMissing(join(dir, path))) add(path, 'missing');
  };
  add(BARRIER, compareBarrier(dir));
  compareDirectory('', true);
  compareDirectory('node_modules', true);
  findMissing();
  return found;
}

/** The kind of something in a directory; a pipe, a socket and a device count as files. */
export const toKind = (entry: Dirent): Kind =>
  entry.isDirectory() ? 'directory' : entry.isSymbolicLink() ? 'link' : 'file';

/**
 * Compares one file or link.
 *
 * @param value of the path in the listing
 * @throws transient errors of the file system
 */
export const compareListed = (path: string, value: string): Difference['problem'] | undefined =>
  isMissing(path) ? 'missing' : compareFile(path, value, !Number.isNaN(sizeOf(value)));

const DESCRIPTIONS: Record<Difference['problem'], string> = {
  changed: 'is not what was installed',
  missing: 'is missing',
  added: 'was not installed',
  unreadable: 'cannot be read',
};

/** One clause: `node_modules/a/index.js is missing`. */
export const describeDifference = ({ path, problem }: Difference): string =>
  `${showName(path)} ${DESCRIPTIONS[problem]}`;

/**
 * Reads a file if it is the listed one. Its size is compared before it is read.
 *
 * @param value of the file in the listing: `SHA256 SIZE`
 * @returns undefined for another file, and for anything but a regular file
 * @throws other errors of the file system
 */
export function readListed(path: string, value: string): Buffer | undefined {
  const size = sizeOf(value);
  if (Number.isNaN(size)) return undefined;
  try {
    const bytes = readRegular(path, size);
    return bytes.length === size && digest(bytes) === value.slice(0, 64) ? bytes : undefined;
  } catch (error) {
    if (['EFBIG', 'EINVAL', 'EISDIR', 'ELOOP'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Compares the package.json at the top of an entry. @throws transient errors of the file system */
export function compareBarrier(dir: string): Difference['problem'] | undefined {
  try {
    const text = readText(join(dir, BARRIER), MAX_BARRIER);
    return text.replace(/\s/g, '') === '{"private":true}' ? undefined : 'changed';
  } catch (error) {
    return toProblem(error);
  }
}

/** @param value of the path in the listing */
function compareFile(
  path: string,
  value: string,
  isFile: boolean,
): Difference['problem'] | undefined {
  try {
    const isSame = isFile ? readListed(path, value) : `-> ${readlinkSync(path)}` === value;
    return isSame ? undefined : 'changed';
  } catch (error) {
    return codeOf(error) === 'EINVAL' ? 'changed' : toProblem(error);
  }
}

/** The problem that an error stands for. @throws transient errors of the file system */
export function toProblem(error: unknown): 'unreadable' {
  if (isTransient(error)) throw error;
  return 'unreadable';
}

function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch (error) {
    return leadsNowhere(error);
  }
}

/**
 * Whether Node can load something by its path below a directory that cannot be listed: that takes the permission
 * to search the directory, not to read it.
 *
 * @param error thrown when the directory was listed
 */
export function canReach(directory: string, error: unknown): boolean {
  if (leadsNowhere(error)) return false;
  if (!isForbidden(error)) return true;
  try {
    // To find a directory in itself takes the permission to search it.
    lstatSync(`${directory}/.`);
    return true;
  } catch (refused) {
    return !isForbidden(refused) && !leadsNowhere(refused);
  }
}

const NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ESTALE']);
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'ERR_ACCESS_DENIED']);

/** Whether nothing can be loaded from a path: it was removed, or no string names it, since it is not UTF-8. */
export const leadsNowhere = (error: unknown): boolean => NOWHERE.has(codeOf(error) ?? '');
const isForbidden = (error: unknown): boolean => FORBIDDEN.has(codeOf(error) ?? '');
