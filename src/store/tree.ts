/** Trees of files: sealed, measured and removed without following a link. */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../base/thrown.ts';
import { type DirHandle, ignoreErrors, listSome, openIn, useDir } from './directory.ts';

/** How many files and directories may still be removed; each removal lowers it. */
export interface Allowance {
  left: number;
}

/** Names read at a time: a directory can hold millions. */
const BATCH = 1_000;

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Makes a tree read-only: directories 0555, files 0444 or 0555. */
export function sealTree(dir: DirHandle): void {
  for (const entry of readdirSync(dir.at(), { withFileTypes: true })) {
    if (entry.isDirectory()) useDir(openIn(dir, entry.name), sealTree);
    else if (entry.isFile()) sealFile(dir, entry.name);
  }
  chmodSync(dir.at(), 0o555);
}

/** Changes the open file: chmod(2) would follow a link that has taken its place. */
function sealFile(dir: DirHandle, name: string): void {
  const file = openSync(dir.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    fchmodSync(file, (fstatSync(file).mode & 0o111) === 0 ? 0o444 : 0o555);
  } finally {
    closeSync(file);
  }
}

/** Sets the times of everything in a tree, and of its top, to 1970-01-01. */
export function stampTree(dir: DirHandle): void {
  for (const entry of readdirSync(dir.at(), { withFileTypes: true })) {
    if (entry.isDirectory()) useDir(openIn(dir, entry.name), stampTree);
    else lutimesSync(dir.at(entry.name), 0, 0);
  }
  utimesSync(dir.at(), 0, 0);
}

/**
 * Removes a file, a link, or a tree of any depth from a directory. Nothing outside is reached, even if a
 * directory is replaced meanwhile. A name that does not exist is not an error.
 *
 * Subdirectories move to the top of the tree, and are emptied there: a tree of any depth takes two handles.
 *
 * @throws errors of the file system, and one with code ECANCELED when the allowance is used up
 */
export function removeIn(dir: DirHandle, name: string, allowance?: Allowance): void {
  if (!isDirectory(dir, name)) {
    removeOne(allowance, () => unlinkSync(dir.at(name)));
    return;
  }
  useDir(openIn(dir, name), (top) => emptyTree(top, allowance));
  removeOne(allowance, () => rmdirSync(dir.at(name)));
}

function emptyTree(top: DirHandle, allowance: Allowance | undefined): void {
  // Loaded late: the preload never removes a tree.
  const prefix = process.getBuiltinModule('node:crypto').randomUUID();
  let count = 0;
  const moveUp = (dir: DirHandle, name: string): void => {
    // A directory that changes its parent has to be writable.
    useDir(openIn(dir, name), makeWritable);
    renameSync(dir.at(name), top.at(`${prefix}.${count++}`));
  };
  const removeDirectory = (dir: DirHandle, name: string): void => {
    useDir(openIn(dir, name), (inner) => empty(inner, moveUp));
    rmdirSync(dir.at(name));
  };
  const empty = (dir: DirHandle, handle: typeof moveUp): void => {
    makeWritable(dir);
    for (let removed = -1; removed !== 0; ) {
      removed = 0;
      for (const entry of listSome(dir, BATCH)) {
        const { name } = entry;
        const remove = (): void =>
          entry.isDirectory() ? handle(dir, name) : unlinkSync(dir.at(name));
        if (removeOne(allowance, remove)) removed++;
      }
    }
  };
  empty(top, removeDirectory);
}

const isDirectory = (dir: DirHandle, name: string): boolean =>
  lstatSync(dir.at(name), { throwIfNoEntry: false })?.isDirectory() === true;

function makeWritable(dir: DirHandle): void {
  if ((statSync(dir.at()).mode & 0o700) !== 0o700) chmodSync(dir.at(), 0o755);
}

/** Returns false for what another process has removed, and for a name that is not UTF-8. */
function removeOne(allowance: Allowance | undefined, remove: () => void): boolean {
  if (allowance !== undefined && allowance.left-- <= 0) {
    throw Object.assign(new Error('enough was removed'), { code: 'ECANCELED' });
  }
  try {
    remove();
    return true;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return false;
  }
}

/** Size of a tree in bytes. */
export function measureTree(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    bytes += entry.isDirectory() ? measureTree(path) : lstatSync(path).size;
  }
  return bytes;
}

/** Removes as much as possible: what belongs to another user stays until its owner installs something. */
export const tryRemoveIn = (dir: DirHandle, name: string, allowance?: Allowance): boolean =>
  ignoreErrors(() => removeIn(dir, name, allowance));
