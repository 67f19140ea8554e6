/** Open directories of a store: no link below the store is followed, and a replaced directory is never used. */
import {
  closeSync,
  constants,
  type Dirent,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { isWithin } from '../base/store-layout.ts';
import { codeOf, isNotFound } from '../base/thrown.ts';

/**
 * An open directory. A file or directory that replaces it later is not reached through it.
 *
 * Node has no `openat`. On Linux a path below `/proc/self/fd/N` starts at the open directory itself
 * (proc_pid_fd(5)). Elsewhere the identity of the directory is compared before each use, which leaves the moment
 * between the two calls.
 */
export interface DirHandle {
  /** Its path when it was opened, for messages. */
  path: string;
  /**
   * The path of a name in it, or of the directory itself, for one system call.
   *
   * @throws an AnnexError when it was replaced
   */
  at: (name?: string) => string;
  close: () => void;
}

/** open(2): needs no permission to read. Node has no constant for it; it is the same on all Linux systems that run Node. */
export const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

/** Names read of a directory in which other users can create any number. */
const MAX_NAMES = 10_000;

let canOpenPaths = false;

/**
 * Opens a directory, or a named one below it. Links above the directory are followed, links below it are not.
 *
 * @throws errors of the file system, and an AnnexError for a link or a file
 * @example const retired = openDir('/data/annex', 'v1', 'retired')
 */
export function openDir(path: string, ...names: string[]): DirHandle {
  const dir = open(path, path, true);
  const [name, ...rest] = names;
  return name === undefined ? dir : useDir(dir, () => openIn(dir, name, ...rest));
}

/** Opens a directory in an open one, or further down. */
export function openIn(dir: DirHandle, name: string, ...names: string[]): DirHandle {
  let found = open(dir.at(name), join(dir.path, name), false);
  for (const below of names) {
    const above = found;
    found = useDir(above, () => openIn(above, below));
  }
  return found;
}

/** Calls a function with an open directory, then closes the directory. Errors have the usual paths. */
export function useDir<T>(dir: DirHandle, use: (dir: DirHandle) => T): T {
  try {
    return use(dir);
  } catch (error) {
    throw nameError(error, dir);
  } finally {
    dir.close();
  }
}

/** Opens a directory as `openDir` does, for one call of a function. */
export const withDir = <T>(path: string, names: string[], use: (dir: DirHandle) => T): T =>
  useDir(openDir(path, ...names), use);

/** Makes a directory unless something has that path; returns whether it was made. */
export function makeMissing(path: string, mode: number): boolean {
  // On a read-only file system mkdir fails even for a directory that exists.
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/** Makes a directory in an open one as `makeMissing` does. */
export const makeIn = (dir: DirHandle, name: string, mode = 0o777): boolean =>
  makeMissing(dir.at(name), mode);

/**
 * The names in a directory, sorted; none when it is a link, a file, or absent.
 *
 * @throws other errors of the file system
 */
export function listNames(path: string, ...names: string[]): string[] {
  try {
    return withDir(path, names, (dir) => readdirSync(dir.at()).sort());
  } catch (error) {
    if (isNotFound(error) || error instanceof AnnexError) return [];
    throw error;
  }
}

/** Lists at most `max` entries of a directory. */
export function listSome(dir: DirHandle, max: number): Dirent[] {
  const found: Dirent[] = [];
  const entries = opendirSync(dir.at());
  try {
    while (found.length < max) {
      const entry = entries.readSync();
      if (entry === null) break;
      found.push(entry);
    }
  } finally {
    entries.closeSync();
  }
  return found;
}

/** Lists at most `max` names of a directory, from a random position: repeated sweeps reach each name. */
export function sampleNames(dir: DirHandle, max: number): string[] {
  const names = listSome(dir, MAX_NAMES).map(({ name }) => name);
  const start = names.length <= max ? 0 : Math.floor(Math.random() * names.length);
  return [...names.slice(start), ...names.slice(0, start)].slice(0, max);
}

/**
 * Whether a file lies in a directory, whatever links lead to it.
 *
 * @param file the result of a resolution; undefined without a file
 * @param dir a real path
 */
export function isContained(file: string | undefined, dir: string): boolean {
  if (file === undefined) return false;
  try {
    return isWithin(realpathSync.native(file), dir);
  } catch {
    return false;
  }
}

/** Runs an action that may fail; returns whether it succeeded. */
export function ignoreErrors(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Replaces the /proc path of an open directory in an error by its path. */
export function nameError(error: unknown, dir: DirHandle): unknown {
  let fd: string | undefined;
  ignoreErrors(() => {
    fd = /^\/proc\/self\/fd\/\d+$/.exec(dir.at())?.[0];
  });
  if (fd === undefined || !(error instanceof Error)) return error;
  const pattern = new RegExp(`${fd}(?!\\d)`, 'g');
  for (const key of ['path', 'dest', 'message'] as const) {
    const text: unknown = Reflect.get(error, key);
    if (typeof text !== 'string') continue;
    const value = text.replace(pattern, () => dir.path);
    Reflect.defineProperty(error, key, { value, configurable: true, writable: true });
  }
  return error;
}

/** @param route the path to open: `path`, or one through /proc */
function open(route: string, path: string, isFollowed: boolean): DirHandle {
  canOpenPaths ||= findProc();
  if (!canOpenPaths) return openByIdentity(path, isFollowed);
  let fd: number;
  try {
    fd = openSync(route, O_PATH | O_DIRECTORY | (isFollowed ? 0 : O_NOFOLLOW));
  } catch (error) {
    throw codeOf(error) === 'ENOTDIR' ? refuseOther(path, lstatSync(route)) : error;
  }
  const self = `/proc/self/fd/${fd}`;
  return {
    path,
    at: (name) => (name === undefined ? self : `${self}/${name}`),
    close: () => closeSync(fd),
  };
}

/** False without a /proc, in that of another pid namespace, and where Node's permission model forbids it. */
function findProc(): boolean {
  if (process.platform !== 'linux') return false;
  try {
    const fd = openSync('/', O_PATH | O_DIRECTORY);
    try {
      return isSame(statSync(`/proc/self/fd/${fd}`), statSync('/'));
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

function openByIdentity(path: string, isFollowed: boolean): DirHandle {
  const stat = (): Stats => (isFollowed ? statSync(path) : lstatSync(path));
  const opened = stat();
  if (!opened.isDirectory()) throw refuseOther(path, opened);
  return {
    path,
    at: (name) => {
      if (!isSame(stat(), opened)) throw refuse(`${path} was replaced while it was in use`);
      return name === undefined ? path : join(path, name);
    },
    close: () => {},
  };
}

const isSame = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev;

const refuseOther = (path: string, stat: Stats): AnnexError =>
  refuse(
    `${path} is ${stat.isSymbolicLink() ? 'a symbolic link, which annex does not follow' : 'not a directory'}`,
  );

const refuse = (reason: string): AnnexError =>
  new AnnexError({
    code: 'ANNEX_STORE_UNUSABLE',
    reason,
    hint: 'move it elsewhere; an install creates the directory',
  });
