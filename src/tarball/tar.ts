/** Reads tar archives in the formats of npm packages: ustar, pax headers, GNU long names. */
import { AnnexError } from '../base/error.ts';

/** A regular file of an archive. */
export interface TarFile {
  /** As in the archive: unchecked, with its first component. */
  path: string;
  /** Permission bits, set-id bits included. */
  mode: number;
  /** A view into the archive, not a copy. */
  body: Buffer;
}

/** Headers before an entry, which apply to it alone. */
interface Overrides {
  path?: string;
  linkpath?: string;
  size?: number;
}

const BLOCK = 512;
const SPACE = 0x20;
/** Bytes of a header before an entry: the limit of node-tar, far above the longest path. */
const MAX_HEADER = 2 ** 20;
/** PATH_MAX of Linux; other systems have less. */
const MAX_PATH = 4096;
/** Types of headers before an entry: of pax, GNU and Solaris. */
const HEADER_TYPES = 'xgXLKN';
/** Types of files: of ustar, of Unix V7, and "contiguous". */
const FILE_TYPES = '0\x007';
/** Types of entries that are skipped: links, devices, pipes, directories, and notes of archivers. */
const SKIPPED_TYPES = '123456DAIV';

/** Rejects an archive. @param problem a clause about it: `it is empty` */
export const makeArchiveError = (problem: string): AnnexError =>
  new AnnexError({
    code: 'ANNEX_INTEGRITY',
    reason: problem.replace(/\p{Cc}+/gu, ' '),
    hint: 'use another version of the package',
  });

/**
 * Reads a tar archive in memory. Like npm, it skips entries that are not files
 * (https://github.com/npm/pacote/blob/v21.0.0/lib/fetcher.js, `#tarxOptions`). It rejects an archive of
 * which npm would silently omit a file.
 *
 * Format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html.
 *
 * @throws AnnexError for an archive that is truncated or damaged, or has a file that npm does not unpack
 * @example for (const { path, body } of readTar(gunzipSync(tarball))) console.log(path, body.length);
 */
export function* readTar(archive: Buffer): Generator<TarFile> {
  let overrides: Overrides = {};
  let at = 0;
  // Two blocks of zeros end an archive; a single one is skipped. An archive may also end after an
  // entry: https://github.com/isaacs/node-tar/blob/v7.5.2/src/parse.ts
  while (at < archive.length && !(isZero(archive, at) && isZero(archive, at + BLOCK))) {
    const header = at;
    at += BLOCK;
    if (isZero(archive, header)) continue;
    const flag = readFlag(archive, header);
    const isEntry = !HEADER_TYPES.includes(flag);
    const path = isEntry ? (overrides.path ?? readPath(archive, header)) : '';
    const isDirectory = flag === '5' || ('0\0'.includes(flag) && path.endsWith('/'));
    // Directories have no body, although some writers give them a size. A pax size applies to the entry:
    // https://github.com/isaacs/node-tar/blob/v7.5.2/src/header.ts
    const stated = (isEntry ? overrides.size : undefined) ?? readNumber(archive, header + 124, 12);
    const size = isDirectory ? 0 : stated;
    const body = archive.subarray(at, at + size);
    at += Math.ceil(size / BLOCK) * BLOCK;
    if (Number.isNaN(at)) throw makeArchiveError('it has an invalid size');
    if (at > archive.length) throw makeArchiveError('it is truncated');
    if (!isEntry && size > MAX_HEADER) throw makeArchiveError('it has a header that is too long');
    if (path.length > MAX_PATH) throw makeArchiveError('it has a path that is too long');

    if (flag === 'x' || flag === 'X') Object.assign(overrides, readPax(body));
    else if (flag === 'L' || flag === 'N') overrides.path = readField(body, 0, size);
    else if (flag === 'K') overrides.linkpath = readField(body, 0, size);
    if (!isEntry) continue;

    const target = overrides.linkpath ?? readField(archive, header + 157, 100);
    checkEntry(flag, path, target);
    if (!isDirectory && FILE_TYPES.includes(flag)) {
      yield { path, mode: readNumber(archive, header + 100, 8), body };
    }
    overrides = {};
  }
}

/**
 * Rejects entries that npm silently omits: those with a header that it regards as damaged, and those of
 * an unknown type.
 *
 * @see https://github.com/isaacs/node-tar/blob/v7.5.2/src/parse.ts `CONSUMEHEADER`
 */
function checkEntry(flag: string, path: string, target: string): void {
  if (path === '') throw makeArchiveError('it has a file without a name');
  const isLink = flag === '1' || flag === '2';
  if (isLink && target === '') throw makeArchiveError(`it has a link without a target, ${path}`);
  if (!isLink && target !== '') throw makeArchiveError(`it has ${path} as a file and as a link`);
  if (FILE_TYPES.includes(flag) || SKIPPED_TYPES.includes(flag)) return;
  throw makeArchiveError(`it has a file of type ${flag}, ${path}, which npm does not unpack`);
}

function isZero(archive: Buffer, at: number): boolean {
  for (let index = at; index < at + BLOCK; index += 1) if (archive[index]) return false;
  return true;
}

/** The type flag of a header with a valid checksum: the sum of its bytes, with spaces for the checksum. */
function readFlag(archive: Buffer, at: number): string {
  if (at + BLOCK > archive.length) throw makeArchiveError('it is truncated');
  let sum = 8 * SPACE;
  for (let index = at; index < at + BLOCK; index += 1) sum += archive[index] ?? 0;
  for (let index = at + 148; index < at + 156; index += 1) sum -= archive[index] ?? 0;
  if (sum !== readNumber(archive, at + 148, 8)) throw makeArchiveError('it is not a tar archive');
  return String.fromCharCode(archive[at + 156] ?? 0);
}

/**
 * Reads a number: octal digits between spaces or before a NUL, or GNU's base 256 with the first bit
 * set. Returns 0 for an empty field and NaN for an invalid one. Byte by byte: strings take four times as
 * long, a tenth of an install.
 */
function readNumber(archive: Buffer, at: number, width: number): number {
  if (archive[at] === 0x80) return Number(`0x${archive.toString('hex', at + 1, at + width)}`);
  let end = at + width;
  let value = 0;
  for (let index = at; index < end; index += 1) {
    const byte = archive[index] ?? 0;
    if (byte === SPACE && (index === at || archive[index - 1] === SPACE)) continue;
    if (byte === 0 || byte === SPACE) end = index;
    else if (byte < 0x30 || byte > 0x37) return Number.NaN;
    else value = value * 8 + byte - 0x30;
  }
  return value;
}

/** Text up to a NUL or the end of its field. */
function readField(archive: Buffer, at: number, width: number): string {
  let end = at;
  while (end < at + width && archive[end] !== 0) end += 1;
  return archive.toString('utf8', at, end);
}

/** The name after ustar's prefix. GNU's format has other fields in place of the prefix. */
function readPath(archive: Buffer, at: number): string {
  const name = readField(archive, at, 100);
  if (archive[at + 345] === 0 || archive.toString('latin1', at + 257, at + 265) !== 'ustar\x0000') {
    return name;
  }
  return `${readField(archive, at + 345, 155)}/${name}`;
}

/** Reads records of `LENGTH KEY=VALUE\n`, where LENGTH is the bytes of the whole record. */
function readPax(body: Buffer): Overrides {
  const overrides: Overrides = {};
  for (let at = 0; at < body.length; ) {
    const [start = '', length, key] =
      /^(\d{1,9}) ([^=]+)=/.exec(body.toString('latin1', at, at + 512)) ?? [];
    const from = at + start.length;
    at += Number(length);
    const value = body.toString('utf8', from, at - 1);
    // A record without a value ends with its first newline, which comes after its start.
    const isWhole = at > from && body[at - 1] === 0x0a;
    const isName = key === 'path' || key === 'linkpath';
    // npm reads records line by line, and would read another name.
    const isInvalid = isName ? /[\n\0]/.test(value) : key === 'size' && !/^\d{1,15}$/.test(value);
    if (!isWhole || isInvalid) {
      throw makeArchiveError('it has an invalid pax header');
    }
    if (key === 'size') overrides.size = Number(value);
    else if (isName) overrides[key] = value;
  }
  return overrides;
}
