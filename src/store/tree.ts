/** Whole trees of files: sealed, measured, removed. No link is followed. */
import {
  chmodSync,
  closeSync,
  constants,
  type Dirent,
  fchmodSync,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../base/thrown.ts';
import { type Dir, inDir, openIn, withDir } from './dir.ts';

/** How much may still be removed, in files and directories; lowered on the way. */
export interface Allowance {
  left: number;
}

/** Names that are read of a directory in which others can make any number. */
const MOST_NAMES = 10_000;
/** Names of a directory that are read at a time. */
const BATCH = 1_000;

/** Makes a tree read-only: directories 0555, files 0444, execute bits kept. */
export function sealTree(dir: Dir): void {
  for (const entry of readdirSync(dir.at(), { withFileTypes: true })) {
    if (entry.isDirectory()) withDir(openIn(dir, entry.name), sealTree);
    else if (entry.isFile()) sealFile(dir, entry.name);
  }
  chmodSync(dir.at(), 0o555);
}

/** Of the open file: chmod(2) would follow a link that has taken its place. */
function sealFile(dir: Dir, name: string): void {
  const file = openSync(dir.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    fchmodSync(file, (fstatSync(file).mode & 0o111) === 0 ? 0o444 : 0o555);
  } finally {
    closeSync(file);
  }
}

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/** Levels of a tree that are held at a time: each takes a handle. What lies deeper is moved up first. */
const MOST_HELD = 32;

/** A removal on its way. */
interface Removal {
  allowance: Allowance | undefined;
  /** The directory at the top of the tree. */
  top: Dir;
  /** Of the directory that is being emptied, below the top. */
  depth: number;
  /** Whether something was moved to the top since its names were last read; shared by all levels. */
  moved: { isAny: boolean };
}

/**
 * Removes what has a name in a directory: a file, a link, or a tree of any depth, read-only directories
 * included. Nothing else is reached, whatever is put in the place of a directory meanwhile. Not an
 * error when it is not there.
 *
 * @param allowance ends the removal where it is used up
 * @throws errors of the file system, and one with code ECANCELED at the end of the allowance
 */
export function removeIn(dir: Dir, name: string, allowance?: Allowance): void {
  remove(
    dir,
    name,
    (top) => empty(top, { allowance, top, depth: 0, moved: { isAny: false } }),
    allowance,
  );
}

function remove(
  dir: Dir,
  name: string,
  clear: (inner: Dir) => void,
  allowance: Allowance | undefined,
): void {
  const stat = lstatSync(dir.at(name), { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) {
    unlinkIn(dir, name, allowance);
    return;
  }
  withDir(openIn(dir, name), (inner) => {
    if ((stat.mode & 0o700) !== 0o700) chmodSync(inner.at(), 0o755);
    clear(inner);
  });
  spend(allowance);
  ignoreAbsence(() => rmdirSync(dir.at(name)));
}

function empty(dir: Dir, removal: Removal): void {
  const { allowance, top, moved } = removal;
  const below = { ...removal, depth: removal.depth + 1 };
  for (;;) {
    if (dir === top) moved.isAny = false;
    const entries = listSome(dir, BATCH);
    for (const entry of entries) {
      if (!entry.isDirectory()) unlinkIn(dir, entry.name, allowance);
      else if (below.depth > MOST_HELD) moveUp(dir, entry.name, removal);
      else remove(dir, entry.name, (inner) => empty(inner, below), allowance);
    }
    if (entries.length < BATCH && !(dir === top && moved.isAny)) return;
  }
}

/** Loaded late: the preload never removes a tree. */
const makeName = (): string => process.getBuiltinModule('node:crypto').randomUUID();

/** Moves a directory to the top, in one rename; a directory that changes its parent has to be writable. */
function moveUp(dir: Dir, name: string, { top, allowance, moved }: Removal): void {
  spend(allowance);
  ignoreAbsence(() => {
    withDir(openIn(dir, name), (inner) => chmodSync(inner.at(), 0o755));
    renameSync(dir.at(name), top.at(makeName()));
    moved.isAny = true;
  });
}

/**
 * Some of the names in a directory in which anybody else can make any number: as many as are asked for, from
 * another place in the list each time, so that none is passed over for ever.
 */
export function pickNames(dir: Dir, most: number): string[] {
  const names = listSome(dir, MOST_NAMES).map(({ name }) => name);
  const start = names.length <= most ? 0 : Math.floor(Math.random() * names.length);
  return [...names.slice(start), ...names.slice(0, start)].slice(0, most);
}

/** What a directory holds, up to a number: somebody else may have made millions. */
function listSome(dir: Dir, most: number): Dirent[] {
  const found: Dirent[] = [];
  const entries = opendirSync(dir.at());
  try {
    while (found.length < most) {
      const entry = entries.readSync();
      if (entry === null) break;
      found.push(entry);
    }
  } finally {
    entries.closeSync();
  }
  return found;
}

function unlinkIn(dir: Dir, name: string, allowance: Allowance | undefined): void {
  spend(allowance);
  ignoreAbsence(() => unlinkSync(dir.at(name)));
}

function spend(allowance: Allowance | undefined): void {
  if (allowance === undefined || allowance.left-- > 0) return;
  throw Object.assign(new Error('enough was removed'), { code: 'ECANCELED' });
}

/** Another process may be removing the same. */
function ignoreAbsence(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
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

/** Removes debris; what another user left, or is removing at this moment, is in nobody's way. */
export function sweepIn(dir: Dir, name: string, allowance?: Allowance): void {
  try {
    removeIn(dir, name, allowance);
  } catch {
    // It stays until its owner installs something.
  }
}

/** Removes a tree, whatever its directory is called by now. */
export const removeTree = (path: string): void =>
  inDir(dirname(path), [], (dir) => removeIn(dir, basename(path)));
