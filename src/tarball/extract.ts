/** Unpacks an npm tarball into a directory; rejects a tarball with paths out of it. */
import { hash } from 'node:crypto';
import { closeSync, constants, type Dirent, openSync, readdirSync, writeSync } from 'node:fs';
import { basename, dirname, win32 } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { codeOf, messageOf } from '../base/thrown.ts';
import { composeListing, toValue } from '../store/listing.ts';
import { makeDirectory } from '../store/publish.ts';
import { makeArchiveError, readTar } from './tar.ts';

/** What an install may still unpack; each tarball reduces it. */
export interface Budget {
  /** Files and directories. */
  files: number;
  /** Bytes of the archives. */
  bytes: number;
}

/** An unpacked package. */
export interface Extracted {
  /** Every file, as `composeListing` writes it. */
  listing: string;
  files: number;
  /** Sum of the sizes of its files. */
  bytes: number;
  /** Directories that were made, with mode 0755. */
  directories: string[];
}

/** A tarball that unpacks to this size or less may state any size. */
const SMALL = 64 * 2 ** 20;
/** Largest ratio of compression, which no package has; deflate can reach 1032. */
const MAX_RATIO = 100;
/** Opens nothing that exists, so follows no link. */
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** Errors of file systems for a path that no file can have. */
const IMPOSSIBLE_PATH = ['ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EILSEQ'];
/** Errors of zlib for a tarball that is damaged or too large. */
const DAMAGED = ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'ERR_BUFFER_TOO_LARGE'];
/** Components of a path: npm omits deeper files. */
const MAX_DEPTH = 1024;
/** With an empty component, `.` or `..`, or a root of Windows. */
const IRREGULAR_PATH = /(?:^|[\\/])\.{0,2}(?:[\\/]|$)|^[a-z]:/i;

/** A file of a checked archive. */
interface PackedFile {
  /** 0444 or 0555. */
  mode: number;
  body: Buffer;
}

/** A checked archive, of which nothing is on the disk yet. */
interface CheckedArchive {
  /** By their paths in the package. */
  files: Map<string, PackedFile>;
  /** Parents first. */
  directories: Set<string>;
}

/**
 * Unpacks an npm tarball into the files that npm makes of it. The whole archive is checked before
 * anything is written. The first component of each path is removed, whatever its name; of two files at
 * one path the later one counts. Files get mode 0444, or 0555 if the archive makes them executable for
 * anyone, and directories 0755, whatever the umask. Omits what npm omits: links, special files, empty
 * directories, and files beside the package's directory.
 *
 * @param tarball gzipped, or a plain archive
 * @param dir absolute; made with missing parents. An existing file in it is never replaced
 * @throws AnnexError whose reason is a clause about the archive: `it is truncated`; errors of the file
 *   system (ENOSPC); what was written stays
 * @example extractTarball(tarball, '/srv/staging/x/node_modules/ms', { files: 200_000, bytes: 2 ** 31 });
 */
export function extractTarball(tarball: Buffer, dir: string, budget: Budget): Extracted {
  const { files, directories } = checkTarball(tarball, budget);
  const umask = process.umask(0);
  try {
    makeDirectories(dir, directories);
    const listed = new Map<string, string>();
    let bytes = 0;
    for (const [path, { mode, body }] of files) {
      tryPath(dir, path, () => writeFile(`${dir}/${path}`, body, mode));
      listed.set(path, toValue(hash('sha256', body), body.length));
      bytes += body.length;
    }
    const listing = composeListing(listed);
    return { listing, files: files.size, bytes, directories: [...directories] };
  } finally {
    process.umask(umask);
  }
}

/** Inflates a tarball and checks every entry. */
function checkTarball(tarball: Buffer, budget: Budget): CheckedArchive {
  const files = new Map<string, PackedFile>();
  const directories = new Set<string>();
  const spend = (): void => {
    budget.files -= 1;
    if (budget.files < 0) throw makeArchiveError('it exceeds the number of files of an install');
  };
  const addDirectoryOf = (path: string): void => {
    const directory = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    if (directory === '' || directories.has(directory)) return;
    if (files.has(directory)) throw makeClash(directory);
    spend();
    addDirectoryOf(directory);
    directories.add(directory);
  };
  const isPacked = tarball[0] === 0x1f && tarball[1] === 0x8b;
  const archive = isPacked ? inflate(tarball, budget.bytes) : tarball;
  budget.bytes -= archive.length;
  if (budget.bytes < 0) throw makeArchiveError('it exceeds the bytes of an install');
  for (const { path: full, mode, body } of readTar(archive)) {
    const path = toPackagePath(full);
    if (path === undefined) continue;
    if (directories.has(path)) throw makeClash(path);
    const known = files.get(path);
    if (known === undefined) spend();
    addDirectoryOf(path);
    // npm writes into the existing file, which keeps its permissions.
    files.set(path, { mode: known?.mode ?? (mode & 0o111 ? 0o555 : 0o444), body });
  }
  if (files.size === 0) throw makeArchiveError('it has no files');
  return { files, directories };
}

/** npm silently omits the later one. */
const makeClash = (path: string): Error =>
  makeArchiveError(`it has ${path} as a file and as a directory`);

/**
 * The path in the package of a path in an archive: without its first component, roots of Windows, empty
 * components and dots.
 *
 * @returns undefined for the package's directory itself, and for a path beside it
 * @see https://github.com/isaacs/node-tar/blob/v7.5.2/src/unpack.ts `CHECKPATH`
 */
function toPackagePath(full: string): string | undefined {
  const top = full.indexOf('/');
  if (top === -1) return undefined;
  let path = full.slice(top + 1);
  if (path.length >= MAX_DEPTH && path.split('/').length > MAX_DEPTH) {
    throw makeArchiveError('it has a path that is too deep');
  }
  const isBeside = top === 0 || full.startsWith('../');
  if (!isBeside && !IRREGULAR_PATH.test(path)) return path;
  for (let { root } = win32.parse(path); root !== ''; { root } = win32.parse(path)) {
    // On Windows two slashes start a host name.
    const isSlash = path.startsWith('/') && !path.startsWith('//?/');
    path = path.slice(isSlash ? 1 : root.length);
  }
  // After removing roots: any component can follow one.
  if (isBeside || path.split(/[\\/]/).includes('..')) {
    throw makeArchiveError(`it has a path out of the package, ${full}`);
  }
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.length === 0 ? undefined : names.join('/');
}

/** A directory may exist already: another package made it. */
function makeDirectories(dir: string, directories: Set<string>): void {
  makeDirectory(dir, 0o755);
  for (const directory of directories) {
    const path = `${dir}/${directory}`;
    const isNew = tryPath(dir, directory, () => makeDirectory(path, 0o755));
    if (!isNew && findExactName(path)?.isDirectory() !== true) throw makeTaken(dir, directory);
  }
}

/** Inflates into one buffer, allocated once if the tarball states its size correctly. */
function inflate(tarball: Buffer, maxBytes: number): Buffer {
  // https://www.rfc-editor.org/rfc/rfc1952: a gzip file ends with its size, modulo 2 ** 32.
  const stated = tarball.length < 4 ? 0 : tarball.readUInt32LE(tarball.length - 4);
  const limit = Math.min(maxBytes, Math.max(SMALL, MAX_RATIO * tarball.length));
  if (stated > limit)
    throw makeArchiveError(`it states a size of ${stated} bytes, which is too large`);
  const options = {
    maxOutputLength: Math.max(1, Math.min(limit, Math.max(SMALL, stated))),
    // One byte more, or zlib allocates another chunk before it sees the end.
    chunkSize: Math.max(stated + 1, 2 ** 16),
  };
  try {
    return gunzipSync(tarball, options);
  } catch (error) {
    if (!DAMAGED.includes(codeOf(error) ?? '')) throw error;
    throw makeArchiveError(`it does not unpack: ${messageOf(error)}`);
  }
}

/** Runs a call of the file system; an error that the path causes is one of the archive. */
function tryPath<T>(dir: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'EEXIST') throw makeTaken(dir, path);
    if (!IMPOSSIBLE_PATH.includes(code)) throw error;
    throw makeArchiveError(`it has a path that cannot be made, ${path}`);
  }
}

/** On some volumes two names are equal that differ in case or Unicode normalization. */
const makeTaken = (dir: string, path: string): Error =>
  findExactName(`${dir}/${path}`) === undefined
    ? makeArchiveError(`it has ${path}, which equals another name on this volume`)
    : makeArchiveError(`it has a path that exists already, ${path}`);

/** The directory entry with exactly that name. */
const findExactName = (path: string): Dirent | undefined =>
  readdirSync(dirname(path), { withFileTypes: true }).find(({ name }) => name === basename(path));

function writeFile(path: string, body: Buffer, mode: number): void {
  const file = openSync(path, CREATE_FLAGS, mode);
  try {
    for (let done = 0; done < body.length; ) done += writeSync(file, body, done);
  } finally {
    closeSync(file);
  }
}
