/** Unpacks an npm tarball into a directory, and refuses whatever would not stay in it. */
import { hash } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { codeOf, messageOf } from '../errors.ts';
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
  /** Whether some path ends in `.node`. */
  hasAddon: boolean;
  /** Directories in it that were made, 0755. */
  directories: string[];
}

/** A tarball that unpacks to no more than this may say what it likes about its size. */
const SMALL = 64 * 2 ** 20;
/** No package is compressed by as much; deflate can reach 1032. */
const MOST_TIMES = 100;
/** Made by us alone: nothing that exists is opened, so no link is followed. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
/** What file systems answer to a path that no file can have, or that is taken. */
const IMPOSSIBLE = ['EEXIST', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'EILSEQ'];
/** What zlib says of a tarball that is damaged, or larger than it may be. */
const DAMAGED = ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'Z_NEED_DICT', 'ERR_BUFFER_TOO_LARGE'];
/** Absolute, with a control character, or with a component that is empty, `.` or `..` after the first. */
const UNSAFE = /^\/|^\.\.\/|\p{Cc}|[\\/]\.{0,2}(?:[\\/]|$)/u;

/** One file of an archive that was looked through: its place in the package is safe. */
interface PackedFile {
  path: string;
  /** 0444 or 0555. */
  mode: number;
  body: Buffer;
}

/** An archive that was looked through; nothing of it is on the disk yet. */
interface Opened {
  files: PackedFile[];
  /** Parents first. */
  directories: string[];
  /** Of all files together. */
  bytes: number;
}

/**
 * Unpacks a gzipped npm tarball. All of it is looked through before anything is written. The first
 * component of every path goes, whatever its name. Files become 0444, or 0555 if the archive lets
 * anybody execute them, and directories 0755, whatever the umask: it is set aside meanwhile. What
 * npm leaves out of a package is left out: links, and files beside its directory.
 *
 * @param dir absolute; made with what is missing above it. A file that exists in it is never replaced
 * @throws an error with code ANNEX_INTEGRITY, whose message is one clause about the archive, as in
 * "it is cut short"; errors of the file system (ENOSPC) and want of memory as they are. What was
 * written stays
 * @example extractTarball(tarball, '/srv/staging/x/node_modules/ms', { files: 200_000, bytes: 2 ** 31 });
 */
export function extractTarball(tarball: Buffer, dir: string, budget: Budget): Extracted {
  const opened = openTarball(tarball, budget);
  const umask = process.umask(0);
  try {
    makeDirectories(dir, opened.directories);
    return summarize(opened, writeFiles(dir, opened.files));
  } finally {
    process.umask(umask);
  }
}

/** Inflates a tarball and looks through it. */
function openTarball(tarball: Buffer, budget: Budget): Opened {
  const files: PackedFile[] = [];
  const directories: string[] = [];
  const kinds = new Map<string, 'file' | 'directory'>();
  const made = new Set<string>();
  let bytes = 0;

  const claim = (path: string, kind: 'file' | 'directory'): void => {
    const folded = fold(path);
    const known = kinds.get(folded);
    if (known && (known !== kind || kind === 'file')) {
      throw makeArchiveError(`it holds ${path} twice, or in names that differ only in case`);
    }
    kinds.set(folded, kind);
    budget.files -= 1;
    if (budget.files < 0) throw makeArchiveError('with it there are too many files to unpack');
  };

  const addDirectoryOf = (path: string): void => {
    const directory = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    if (directory === '' || made.has(directory)) return;
    made.add(directory);
    addDirectoryOf(directory);
    claim(directory, 'directory');
    directories.push(directory);
  };

  for (const { path: full, mode, body } of readTar(inflate(tarball, budget))) {
    if (UNSAFE.test(full)) throw makeArchiveError(`it holds a path out of the package, ${full}`);
    const path = full.slice(full.indexOf('/') + 1);
    // A file beside the package's directory: npm leaves it out too.
    if (path === full) continue;
    claim(path, 'file');
    addDirectoryOf(path);
    files.push({ path, mode: mode & 0o111 ? 0o555 : 0o444, body });
    bytes += body.length;
  }
  if (files.length === 0) throw makeArchiveError('it holds no file');
  return { files, directories, bytes };
}

function makeDirectories(dir: string, directories: string[]): void {
  makeDirectory(dir, 0o755);
  for (const directory of directories) {
    refuseImpossible(directory, () => makeDirectory(`${dir}/${directory}`, 0o755));
  }
}

/** Writes files into directories that are there. @returns the sha256 of each, in hex digits */
function writeFiles(dir: string, files: PackedFile[]): string[] {
  return files.map(({ path, mode, body }) => {
    refuseImpossible(path, () => writeFile(`${dir}/${path}`, body, mode));
    return hash('sha256', body);
  });
}

/** @param digests of the files, in their order */
function summarize({ files, directories, bytes }: Opened, digests: string[]): Extracted {
  const listed = files.map(({ path, body }, index): [string, string] => [
    path,
    toValue(digests[index] ?? '', body.length),
  ]);
  return {
    listing: composeListing(listed),
    files: files.length,
    bytes,
    directories,
    hasAddon: files.some(({ path }) => path.endsWith('.node')),
  };
}

/** The archive in one piece, allocated once if the tarball tells its size truly. */
function inflate(tarball: Buffer, budget: Budget): Buffer {
  // https://www.rfc-editor.org/rfc/rfc1952: a gzip file ends with its size, modulo 2 ** 32.
  const stated = tarball.length < 4 ? 0 : tarball.readUInt32LE(tarball.length - 4);
  const most = Math.min(budget.bytes, Math.max(SMALL, MOST_TIMES * tarball.length));
  if (stated > most) throw makeArchiveError(`it says it is ${stated} bytes, which is too much`);
  const options = {
    maxOutputLength: Math.max(1, Math.min(most, Math.max(SMALL, stated))),
    // One byte more, or zlib asks for another chunk before it sees the end.
    chunkSize: Math.max(stated + 1, 2 ** 16),
  };
  try {
    const archive = gunzipSync(tarball, options);
    budget.bytes -= archive.length;
    return archive;
  } catch (error) {
    if (!DAMAGED.includes(codeOf(error) ?? '')) throw error;
    throw makeArchiveError(`it does not unpack: ${messageOf(error)}`);
  }
}

/**
 * Equal for two names that some file system takes for one; as
 * https://github.com/isaacs/node-tar/blob/v7.5.2/src/normalize-unicode.ts does it.
 */
const fold = (path: string): string => path.normalize('NFD').toLowerCase().toUpperCase();

function refuseImpossible(path: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!IMPOSSIBLE.includes(codeOf(error) ?? '')) throw error;
    throw makeArchiveError(`it holds a path that cannot be made, ${path}`);
  }
}

function writeFile(path: string, body: Buffer, mode: number): void {
  const file = openSync(path, CREATE, mode);
  try {
    for (let done = 0; done < body.length; ) done += writeSync(file, body, done);
  } finally {
    closeSync(file);
  }
}
