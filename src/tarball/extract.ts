/** Unpacks an npm tarball into a directory, and refuses whatever would not stay in it. */
import { hash } from 'node:crypto';
import { closeSync, constants, type Dirent, openSync, readdirSync, writeSync } from 'node:fs';
import { basename, dirname, win32 } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { codeOf, messageOf } from '../base/thrown.ts';
import { composeListing, toValue } from '../store/listing.ts';
import { makeDirectory } from '../store/publish.ts';
import { makeArchiveError, readTar } from './tar.ts';

/** What an install may still unpack; lowered as it goes. */
export interface Budget {
  /** Files, and the directories that they need. */
  files: number;
  /** Bytes of the archives. */
  bytes: number;
}

/** What was unpacked. */
export interface Extracted {
  /** Every file, as `composeListing` writes it. */
  listing: string;
  files: number;
  /** Of all files together. */
  bytes: number;
  /** Directories in it that were made, 0755. */
  directories: string[];
}

/** A tarball that unpacks to no more than this may say what it likes about its size. */
const SMALL = 64 * 2 ** 20;
/** No package is compressed by as much; deflate can reach 1032. */
const MOST_TIMES = 100;
/** Made by us alone: nothing that exists is opened, so no link is followed. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** What file systems answer to a path that no file can have. */
const IMPOSSIBLE = ['ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EILSEQ'];
/** What zlib says of a tarball that is damaged, or larger than it may be. */
const DAMAGED = ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'ERR_BUFFER_TOO_LARGE'];
/** Names in a path: npm leaves out what is deeper. */
const MOST_NAMES = 1024;
/** With a name that is empty, `.` or `..`, or a root of Windows: not as it stands in a package. */
const ODD = /(?:^|[\\/])\.{0,2}(?:[\\/]|$)|^[a-z]:/i;

/** One file of an archive that was looked through. */
interface PackedFile {
  /** 0444 or 0555. */
  mode: number;
  body: Buffer;
}

/** An archive that was looked through; nothing of it is on the disk yet. */
interface Opened {
  /** By their places in the package, which are safe. */
  files: Map<string, PackedFile>;
  /** Parents first. */
  directories: Set<string>;
}

/**
 * Unpacks an npm tarball into the files that npm makes of it. All of it is looked through before
 * anything is written. The first component of every path goes, whatever its name; of one path twice
 * the later file counts. Files become 0444, or 0555 if the archive lets anybody execute them, and
 * directories 0755, whatever the umask: it is set aside meanwhile. What npm leaves out of a package
 * is left out: links, special files, empty directories, and files beside its directory.
 *
 * @param tarball gzipped, or a plain archive
 * @param dir absolute; made with what is missing above it. A file that exists in it is never replaced
 * @throws an error with code ANNEX_INTEGRITY, whose message is one clause about the archive, as in
 * "it is cut short"; errors of the file system (ENOSPC) and want of memory as they are. What was
 * written stays
 * @example extractTarball(tarball, '/srv/staging/x/node_modules/ms', { files: 200_000, bytes: 2 ** 31 });
 */
export function extractTarball(tarball: Buffer, dir: string, budget: Budget): Extracted {
  const { files, directories } = openTarball(tarball, budget);
  const umask = process.umask(0);
  try {
    makeDirectories(dir, directories);
    const listed = new Map<string, string>();
    let bytes = 0;
    for (const [path, { mode, body }] of files) {
      attempt(dir, path, () => writeFile(`${dir}/${path}`, body, mode));
      listed.set(path, toValue(hash('sha256', body), body.length));
      bytes += body.length;
    }
    const listing = composeListing(listed);
    return { listing, files: files.size, bytes, directories: [...directories] };
  } finally {
    process.umask(umask);
  }
}

/** Inflates a tarball and looks through it. */
function openTarball(tarball: Buffer, budget: Budget): Opened {
  const files = new Map<string, PackedFile>();
  const directories = new Set<string>();
  const spend = (): void => {
    budget.files -= 1;
    if (budget.files < 0) throw makeArchiveError('with it there are too many files to unpack');
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
  if (budget.bytes < 0) throw makeArchiveError('with it there are too many bytes to unpack');
  for (const { path: full, mode, body } of readTar(archive)) {
    const path = findPlace(full);
    if (path === undefined) continue;
    if (directories.has(path)) throw makeClash(path);
    const known = files.get(path);
    if (known === undefined) spend();
    addDirectoryOf(path);
    // npm writes into the file that is there, which keeps its permissions.
    files.set(path, { mode: known?.mode ?? (mode & 0o111 ? 0o555 : 0o444), body });
  }
  if (files.size === 0) throw makeArchiveError('it holds no file');
  return { files, directories };
}

/** Of such two npm leaves out the later one, in silence. */
const makeClash = (path: string): Error =>
  makeArchiveError(`it holds ${path} as a file and as a directory`);

/**
 * Where a path of an archive leads, relative to the package's directory: the first component goes,
 * then roots of Windows, empty components and dots.
 *
 * @returns undefined when it leads to the package's directory itself, or lies beside it
 * @see https://github.com/isaacs/node-tar/blob/v7.5.2/src/unpack.ts `CHECKPATH`
 */
function findPlace(full: string): string | undefined {
  const top = full.indexOf('/');
  if (top === -1) return undefined;
  let path = full.slice(top + 1);
  if (path.length >= MOST_NAMES && path.split('/').length > MOST_NAMES) {
    throw makeArchiveError('it holds too deep a path');
  }
  const isBeside = top === 0 || full.startsWith('../');
  if (!isBeside && !ODD.test(path)) return path;
  for (let { root } = win32.parse(path); root !== ''; { root } = win32.parse(path)) {
    // Two slashes begin the name of a host, for Windows.
    const isSlash = path.startsWith('/') && !path.startsWith('//?/');
    path = path.slice(isSlash ? 1 : root.length);
  }
  // Last: behind a root there may be anything.
  if (isBeside || path.split(/[\\/]/).includes('..')) {
    throw makeArchiveError(`it holds a path out of the package, ${full}`);
  }
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.length === 0 ? undefined : names.join('/');
}

/** A directory may be there already, as that of another package. */
function makeDirectories(dir: string, directories: Set<string>): void {
  makeDirectory(dir, 0o755);
  for (const directory of directories) {
    const path = `${dir}/${directory}`;
    const isNew = attempt(dir, directory, () => makeDirectory(path, 0o755));
    if (!isNew && findEntry(path)?.isDirectory() !== true) throw makeTaken(dir, directory);
  }
}

/** The archive in one piece, allocated once if the tarball tells its size truly. */
function inflate(tarball: Buffer, mostBytes: number): Buffer {
  // https://www.rfc-editor.org/rfc/rfc1952: a gzip file ends with its size, modulo 2 ** 32.
  const stated = tarball.length < 4 ? 0 : tarball.readUInt32LE(tarball.length - 4);
  const most = Math.min(mostBytes, Math.max(SMALL, MOST_TIMES * tarball.length));
  if (stated > most) throw makeArchiveError(`it says it is ${stated} bytes, which is too much`);
  const options = {
    maxOutputLength: Math.max(1, Math.min(most, Math.max(SMALL, stated))),
    // One byte more, or zlib asks for another chunk before it sees the end.
    chunkSize: Math.max(stated + 1, 2 ** 16),
  };
  try {
    return gunzipSync(tarball, options);
  } catch (error) {
    if (!DAMAGED.includes(codeOf(error) ?? '')) throw error;
    throw makeArchiveError(`it does not unpack: ${messageOf(error)}`);
  }
}

/** Runs a call of the file system. What it says of a path that cannot be there is said of the archive. */
function attempt<T>(dir: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'EEXIST') throw makeTaken(dir, path);
    if (!IMPOSSIBLE.includes(code)) throw error;
    throw makeArchiveError(`it holds a path that cannot be made, ${path}`);
  }
}

/** On some volumes two names that differ in case or in their Unicode form are one. */
const makeTaken = (dir: string, path: string): Error =>
  findEntry(`${dir}/${path}`) === undefined
    ? makeArchiveError(`it holds ${path}, which is the same as another name on this volume`)
    : makeArchiveError(`it holds a path that is taken, ${path}`);

/** What a directory lists under exactly that name. */
const findEntry = (path: string): Dirent | undefined =>
  readdirSync(dirname(path), { withFileTypes: true }).find(({ name }) => name === basename(path));

/** Writes a new file: what exists is never opened, so no link is followed. */
function writeFile(path: string, body: Buffer, mode: number): void {
  const file = openSync(path, CREATE, mode);
  try {
    for (let done = 0; done < body.length; ) done += writeSync(file, body, done);
  } finally {
    closeSync(file);
  }
}
