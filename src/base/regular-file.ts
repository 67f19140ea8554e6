/** Reads files that somebody else may have put there: regular ones alone, and no more than they may hold. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from './thrown.ts';

/** What a last component that is a symbolic link means. Kubernetes mounts files as links. */
export type Links = 'refuse' | 'follow';

const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;

/**
 * The bytes of a regular file. Its kind and size are those of the open descriptor, so nothing can be
 * swapped in between. No pipe is waited for.
 *
 * @param most the largest size that is read, bytes
 * @param links ELOOP by default
 * @throws errors of the file system: EISDIR for a directory, EINVAL for what is no regular file, EFBIG for
 *   one that is larger
 * @example readRegular('/srv/store/v1/any/ms.0f9a.0/annex-entry.json', 2 ** 20)
 */
export function readRegular(path: string, most: number, links: Links = 'refuse'): Buffer {
  const flags = O_RDONLY | O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0);
  const file = openSync(path, flags);
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw makeError('EISDIR', path, 'is a directory');
    if (!stat.isFile()) throw makeError('EINVAL', path, 'is no regular file');
    if (stat.size > most) throw makeError('EFBIG', path, `holds more than ${most} bytes`);
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

/** Errors that say nothing about a file: the process, or the machine, has no more handles or memory. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

/** Whether an error says nothing about the file that was to be read. */
export const isPassing = (error: unknown): boolean => PASSING.has(codeOf(error) ?? '');

/** The same as text. */
export const readText = (path: string, most: number, links?: Links): string =>
  readRegular(path, most, links).toString();

const makeError = (code: string, path: string, problem: string): Error =>
  Object.assign(new Error(`${path} ${problem}`), { code, path });
