/** Directories of a store, reached component by component without following a link, and held while in use. */
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { codeOf, isNotFound } from '../base/thrown.ts';

/**
 * A directory that is held: what is put in its place later is not reached through it.
 *
 * Node has no `openat`. On Linux a path below `/proc/self/fd/N` starts at the open directory itself
 * (proc_pid_fd(5)). Where there is no such path, the identity of the directory is compared before
 * each use, which leaves the moment between the two calls.
 */
export interface Dir {
  /** Where it was found, for messages. */
  path: string;
  /**
   * The path of a name in it, or of the directory itself, for one system call.
   *
   * @throws an error with a refusal when something else has taken its place
   */
  at: (name?: string) => string;
  close: () => void;
}

/** open(2): needs no permission to read. Node has no constant for it; the same on all its Linux systems. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW } = constants;

let canHold = false;

/**
 * Opens a directory, and the named ones below it. Links above it are followed, those below are not.
 *
 * @throws errors of the file system; an error with a refusal for what is a link or no directory
 * @example const retired = openDir('/data/annex', 'v1', 'retired')
 */
export function openDir(path: string, ...names: string[]): Dir {
  const dir = hold(path, path, true);
  const [name, ...rest] = names;
  return name === undefined ? dir : withDir(dir, () => openIn(dir, name, ...rest));
}

/** Opens a directory in one that is held, or further down. */
export function openIn(dir: Dir, name: string, ...names: string[]): Dir {
  let found = hold(dir.at(name), join(dir.path, name), false);
  for (const below of names) {
    const above = found;
    found = withDir(above, () => openIn(above, below));
  }
  return found;
}

/** Calls a function with a held directory, and closes it. Errors name paths as a person would. */
export function withDir<T>(dir: Dir, use: (dir: Dir) => T): T {
  try {
    return use(dir);
  } catch (error) {
    throw nameError(error, dir);
  } finally {
    dir.close();
  }
}

/** Opens directories as `openDir` does, for one call of a function. */
export const inDir = <T>(path: string, names: string[], use: (dir: Dir) => T): T =>
  withDir(openDir(path, ...names), use);

/** Runs an action that may fail; returns whether it succeeded. */
export function ignoreErrors(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}

/** Makes a directory unless something has its name already; true when it was made. */
export function makeIn(dir: Dir, name: string, mode = 0o777): boolean {
  const path = dir.at(name);
  // Where nothing can be written, what is there must do.
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/**
 * The names in a directory, sorted; none when it is a link, no directory, or not there.
 *
 * @throws errors of the file system that leave open what the directory holds
 */
export function listNames(path: string, ...names: string[]): string[] {
  try {
    return inDir(path, names, (dir) => readdirSync(dir.at()).sort());
  } catch (error) {
    if (isNotFound(error) || error instanceof AnnexError) return [];
    throw error;
  }
}

/** Puts the path of a held directory into an error of the file system that was met in it. */
export function nameError(error: unknown, dir: Dir): unknown {
  const fd = FD.exec(at(dir))?.[0];
  if (fd === undefined || !(error instanceof Error)) return error;
  for (const key of ['path', 'dest', 'message'] as const) {
    const text: unknown = Reflect.get(error, key);
    if (typeof text === 'string') {
      const named = text.replace(new RegExp(`${fd}(?!\\d)`, 'g'), () => dir.path);
      Reflect.defineProperty(error, key, { value: named, configurable: true, writable: true });
    }
  }
  return error;
}

const FD = /^\/proc\/self\/fd\/\d+$/;

function at(dir: Dir): string {
  try {
    return dir.at();
  } catch {
    return '';
  }
}

function hold(way: string, path: string, isFollowed: boolean): Dir {
  canHold ||= canOpenPaths();
  if (!canHold) return watch(path, isFollowed);
  let fd: number;
  try {
    fd = openSync(way, O_PATH | O_DIRECTORY | (isFollowed ? 0 : O_NOFOLLOW));
  } catch (error) {
    throw codeOf(error) === 'ENOTDIR' ? refuseJunk(path, lstatSync(way)) : error;
  }
  const self = `/proc/self/fd/${fd}`;
  return {
    path,
    at: (name) => (name === undefined ? self : `${self}/${name}`),
    close: () => closeSync(fd),
  };
}

/** Not where there is no /proc, or none of our own, or Node's permission model forbids it. */
function canOpenPaths(): boolean {
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

function watch(path: string, isFollowed: boolean): Dir {
  const look = (): Stats => (isFollowed ? statSync(path) : lstatSync(path));
  const seen = look();
  if (!seen.isDirectory()) throw refuseJunk(path, seen);
  return {
    path,
    at: (name) => {
      if (!isSame(look(), seen)) throw refuse(`${path} is not the directory that it was`);
      return name === undefined ? path : join(path, name);
    },
    close: () => {},
  };
}

const isSame = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev;

const refuseJunk = (path: string, stat: Stats): Error =>
  refuse(
    `${path} is ${stat.isSymbolicLink() ? 'a symbolic link, which annex does not follow' : 'no directory'}`,
  );

const refuse = (reason: string): Error =>
  new AnnexError({
    code: 'ANNEX_STORE_UNUSABLE',
    reason,
    hint: 'move it away; annex makes the directory when it installs',
  });
