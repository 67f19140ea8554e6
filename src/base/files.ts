/** Reads files and directories that another program may have written: regular files only, of limited size. */
import {
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
} from 'node:fs';
import { isNotFound } from './thrown.ts';

/** Treatment of a symbolic link as the last component. Kubernetes mounts files as links. */
export type Links = 'refuse' | 'follow';

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/**
 * Reads a regular file. Checks kind and size of the open descriptor, so that nothing can replace the file
 * in between. Does not block on a pipe.
 *
 * @param maxBytes the largest size
 * @param links ELOOP by default
 * @throws errors of the file system: EISDIR for a directory, EINVAL for another file that is not regular,
 *   EFBIG for a larger file
 * @example readRegular('/srv/store/v1/any/ms.0f9a.0/annex-entry.json', 2 ** 20)
 */
export function readRegular(path: string, maxBytes: number, links: Links = 'refuse'): Buffer {
  const flags = O_RDONLY | O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0);
  const file = openSync(path, flags);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw makeError('EISDIR', path, 'is a directory');
    if (!stat.isFile()) throw makeError('EINVAL', path, 'is not a regular file');
    if (stat.size > maxBytes) throw makeError('EFBIG', path, `has more than ${maxBytes} bytes`);
    const bytes = Buffer.allocUnsafeSlow(stat.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < stat.size; length += read) {
      read = readSync(file, bytes, length, stat.size - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** Reads a regular file as text. */
export const readText = (path: string, maxBytes: number, links?: Links): string =>
  readRegular(path, maxBytes, links).toString();

/** Reads a regular file as JSON. @throws SyntaxError for any other text */
export const readJson = (path: string, maxBytes: number, links?: Links): unknown =>
  JSON.parse(readText(path, maxBytes, links));

const makeError = (code: string, path: string, problem: string): Error =>
  Object.assign(new Error(`${path} ${problem}`), { code, path });

/** Whether a path exists; true also for a dangling link, and when an error leaves it open. */
export function pathExists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return !isNotFound(error);
  }
}

/**
 * Lists a directory.
 *
 * @param isIgnored whether an error of the file system means an empty list; by default, that there is no directory
 * @throws every other error of the file system
 */
export function listDirectory(
  path: string,
  isIgnored: (error: unknown) => boolean = isNotFound,
): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isIgnored(error)) return [];
    throw error;
  }
}
