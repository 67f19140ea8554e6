/** Reads tar archives as npm packages come in: ustar, pax headers, GNU long names. */
import { posix } from 'node:path';

/** One regular file of an archive, as it is stored. */
export interface TarFile {
  /** As in the archive: the first component is still there, and nothing in it has been checked. */
  path: string;
  /** Permission bits, set-id bits included. */
  mode: number;
  /** A view into the archive, not a copy. */
  body: Buffer;
}

/** What goes before an entry and holds for it alone. */
interface Overrides {
  path?: string;
  linkpath?: string;
  size?: number;
}

const BLOCK = 512;
const SPACE = 0x20;
/** Bytes of a header before an entry: what tar takes, far more than any path can have. */
const LONGEST_HEADER = 2 ** 20;
/** Of Linux, PATH_MAX; others take less. */
const LONGEST_PATH = 4096;

/** An error of an archive that is not to be used. `reason` is one clause about it, as in "it is empty". */
export function makeArchiveError(reason: string): Error {
  return Object.assign(new Error(reason), { code: 'ANNEX_INTEGRITY' as const });
}

/**
 * Reads a tar archive that is in memory. Directories are passed over, and so are links that stay
 * inside the package, which npm leaves out as well
 * (https://github.com/npm/pacote/blob/v21.0.0/lib/fetcher.js, `#tarxOptions`).
 *
 * The format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html.
 *
 * @throws an error with code ANNEX_INTEGRITY when the archive is cut short or damaged, holds a link
 * out of the package, or anything else that is neither file nor directory
 * @example for (const { path, body } of readTar(gunzipSync(tarball))) console.log(path, body.length);
 */
export function* readTar(archive: Buffer): Generator<TarFile> {
  let overrides: Overrides = {};
  let at = 0;
  // A block of zeros ends an archive; one that just stops after an entry is taken as npm takes it.
  while (at < archive.length && !isZero(archive, at)) {
    const header = at;
    const flag = readFlag(archive, header);
    const isEntry = !'xgLK'.includes(flag);
    const path = isEntry ? (overrides.path ?? readPath(archive, header)) : '';
    const isDirectory = flag === '5' || (isFile(flag) && path.endsWith('/'));
    // Directories have no body, but some writers give them a size, and sizes are for the entry alone:
    // https://github.com/isaacs/node-tar/blob/v7.5.2/src/header.ts
    const stated = (isEntry ? overrides.size : undefined) ?? readNumber(archive, header + 124, 12);
    const size = isDirectory ? 0 : stated;
    at = header + BLOCK + size;
    if (Number.isNaN(at)) throw makeArchiveError('it holds a size that makes no sense');
    if (at > archive.length) throw makeArchiveError('it is cut short');
    if (!isEntry && size > LONGEST_HEADER) throw makeArchiveError('it holds too long a header');
    if (path.length > LONGEST_PATH) throw makeArchiveError('it holds too long a path');
    const body = archive.subarray(header + BLOCK, at);
    at = Math.ceil(at / BLOCK) * BLOCK;

    if (flag === 'x') Object.assign(overrides, readPax(body));
    else if (flag === 'L') overrides.path = readText(body, 0, size);
    else if (flag === 'K') overrides.linkpath = readText(body, 0, size);
    if (!isEntry) continue;

    if (flag === '1' || flag === '2') {
      checkLink(flag, path, overrides.linkpath ?? readText(archive, header + 157, 100));
    } else if (isFile(flag) && !isDirectory) {
      yield { path, mode: readNumber(archive, header + 100, 8), body };
    } else if (!isDirectory) throw makeArchiveError(`it holds a special file, ${path}`);
    overrides = {};
  }
}

/** Of today, of Unix V7, or "contiguous". */
const isFile = (flag: string): boolean => flag === '0' || flag === '\0' || flag === '7';

function isZero(archive: Buffer, at: number): boolean {
  for (let index = at; index < at + BLOCK; index += 1) if (archive[index]) return false;
  return true;
}

/** The type flag of a header whose checksum is right: the sum of its bytes, its own field as spaces. */
function readFlag(archive: Buffer, at: number): string {
  if (at + BLOCK > archive.length) throw makeArchiveError('it is cut short');
  let sum = 8 * SPACE;
  for (let index = at; index < at + BLOCK; index += 1) sum += archive[index] ?? 0;
  for (let index = at + 148; index < at + 156; index += 1) sum -= archive[index] ?? 0;
  if (sum !== readNumber(archive, at + 148, 8)) throw makeArchiveError('it is not a tar archive');
  return String.fromCharCode(archive[at + 156] ?? 0);
}

/**
 * A number in octal digits, between spaces or before a NUL, or in GNU's base 256 when its first bit is
 * set. An empty field is 0, one that makes no sense NaN. Byte by byte: strings take four times as
 * long, which is a tenth of an install.
 */
function readNumber(archive: Buffer, at: number, width: number): number {
  if (archive[at] === 0x80) return Number(`0x${archive.toString('hex', at + 1, at + width)}`);
  let value = 0;
  for (let index = at; index < at + width; index += 1) {
    const byte = archive[index] ?? 0;
    if (byte === 0 || (byte === SPACE && value > 0)) break;
    if (byte === SPACE) continue;
    if (byte < 0x30 || byte > 0x37) return Number.NaN;
    value = value * 8 + byte - 0x30;
  }
  return value;
}

/** Text up to its NUL, or as long as its field. */
function readText(archive: Buffer, at: number, width: number): string {
  let end = at;
  while (end < at + width && archive[end] !== 0) end += 1;
  return archive.toString('utf8', at, end);
}

/** The name, with ustar's prefix before it. GNU's own format has other things in that place. */
function readPath(archive: Buffer, at: number): string {
  const name = readText(archive, at, 100);
  if (archive[at + 345] === 0 || archive.toString('latin1', at + 257, at + 263) !== 'ustar\0') {
    return name;
  }
  return `${readText(archive, at + 345, 155)}/${name}`;
}

/** Records of `LENGTH KEY=VALUE\n`, where LENGTH is that of the whole record in bytes. */
function readPax(body: Buffer): Overrides {
  const overrides: Overrides = {};
  for (let at = 0; at < body.length; ) {
    const [start = '', length, key] =
      /^(\d{1,9}) ([^=]+)=/.exec(body.toString('latin1', at, at + 512)) ?? [];
    const from = at + start.length;
    at += Number(length);
    const value = body.toString('utf8', from, at - 1);
    // A record without a value ends with its first newline: never before where it began.
    const isWhole = at > from && body[at - 1] === 0x0a;
    if (!isWhole || (key === 'size' && !/^\d{1,15}$/.test(value))) {
      throw makeArchiveError('it holds a pax header that makes no sense');
    }
    if (key === 'size') overrides.size = Number(value);
    else if (key === 'path' || key === 'linkpath') overrides[key] = value;
  }
  return overrides;
}

/** A symbolic link is relative to the directory it is in, a hard one to the root of the archive. */
function checkLink(flag: '1' | '2', path: string, target: string): void {
  const stripTop = (full: string): string => full.slice(full.indexOf('/') + 1);
  const end =
    flag === '1'
      ? posix.normalize(stripTop(target))
      : posix.join(posix.dirname(stripTop(path)), target);
  if (target.startsWith('/') || `${end}/`.startsWith('../')) {
    throw makeArchiveError(`it holds a link out of the package, ${path}`);
  }
}
