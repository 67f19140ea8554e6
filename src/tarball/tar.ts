/** Reads tar archives as npm packages come in: ustar, pax headers, GNU long names. */

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
/** Types of headers before an entry: of pax, of GNU, and of Solaris, which had both first. */
const HEADERS = 'xgXLKN';
/** Types of files: of today, of Unix V7, and "contiguous". */
const FILES = '0\x007';
/** Types that hold no file of the package: links, devices, pipes, directories, and notes of archivers. */
const LEFT_OUT = '123456DAIV';

/** An error of an archive that is not to be used. `reason` is one clause about it, as in "it is empty". */
export function makeArchiveError(reason: string): Error {
  const line = reason.replace(/\p{Cc}+/gu, ' ');
  return Object.assign(new Error(line), { code: 'ANNEX_INTEGRITY' as const });
}

/**
 * Reads a tar archive that is in memory. Entries that are no files are passed over, wherever they
 * lead, as npm does (https://github.com/npm/pacote/blob/v21.0.0/lib/fetcher.js, `#tarxOptions`).
 * Where npm would leave out a file in silence, the archive is refused.
 *
 * The format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html and
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html.
 *
 * @throws an error with code ANNEX_INTEGRITY when the archive is cut short or damaged, or holds a
 * file in a form that npm does not unpack
 * @example for (const { path, body } of readTar(gunzipSync(tarball))) console.log(path, body.length);
 */
export function* readTar(archive: Buffer): Generator<TarFile> {
  let overrides: Overrides = {};
  let at = 0;
  // Two blocks of zeros end an archive, and one is passed over. An archive that stops after an
  // entry is whole: https://github.com/isaacs/node-tar/blob/v7.5.2/src/parse.ts
  while (at < archive.length && !(isZero(archive, at) && isZero(archive, at + BLOCK))) {
    const header = at;
    at += BLOCK;
    if (isZero(archive, header)) continue;
    const flag = readFlag(archive, header);
    const isEntry = !HEADERS.includes(flag);
    const path = isEntry ? (overrides.path ?? readPath(archive, header)) : '';
    const isDirectory = flag === '5' || ('0\0'.includes(flag) && path.endsWith('/'));
    // Directories have no body, but some writers give them a size, and sizes are for the entry alone:
    // https://github.com/isaacs/node-tar/blob/v7.5.2/src/header.ts
    const stated = (isEntry ? overrides.size : undefined) ?? readNumber(archive, header + 124, 12);
    const size = isDirectory ? 0 : stated;
    const body = archive.subarray(at, at + size);
    at += Math.ceil(size / BLOCK) * BLOCK;
    if (Number.isNaN(at)) throw makeArchiveError('it holds a size that makes no sense');
    if (at > archive.length) throw makeArchiveError('it is cut short');
    if (!isEntry && size > LONGEST_HEADER) throw makeArchiveError('it holds too long a header');
    if (path.length > LONGEST_PATH) throw makeArchiveError('it holds too long a path');

    if (flag === 'x' || flag === 'X') Object.assign(overrides, readPax(body));
    else if (flag === 'L' || flag === 'N') overrides.path = readText(body, 0, size);
    else if (flag === 'K') overrides.linkpath = readText(body, 0, size);
    if (!isEntry) continue;

    const target = overrides.linkpath ?? readText(archive, header + 157, 100);
    checkEntry(flag, path, target);
    if (!isDirectory && FILES.includes(flag)) {
      yield { path, mode: readNumber(archive, header + 100, 8), body };
    }
    overrides = {};
  }
}

/**
 * Refuses what npm would pass over in silence, though it is meant to be a file: a header that it takes
 * for a damaged one, and types that it does not know.
 *
 * @see https://github.com/isaacs/node-tar/blob/v7.5.2/src/parse.ts `CONSUMEHEADER`
 */
function checkEntry(flag: string, path: string, target: string): void {
  if (path === '') throw makeArchiveError('it holds a file without a name');
  const isLink = flag === '1' || flag === '2';
  if (isLink && target === '') throw makeArchiveError(`it holds a link without a target, ${path}`);
  if (!isLink && target !== '') throw makeArchiveError(`it holds ${path} as a file and as a link`);
  if (FILES.includes(flag) || LEFT_OUT.includes(flag)) return;
  throw makeArchiveError(`it holds a file of type ${flag}, ${path}, which npm does not unpack`);
}

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

/** Text up to its NUL, or as long as its field. */
function readText(archive: Buffer, at: number, width: number): string {
  let end = at;
  while (end < at + width && archive[end] !== 0) end += 1;
  return archive.toString('utf8', at, end);
}

/** The name, with ustar's prefix before it. GNU's own format has other things in that place. */
function readPath(archive: Buffer, at: number): string {
  const name = readText(archive, at, 100);
  if (archive[at + 345] === 0 || archive.toString('latin1', at + 257, at + 265) !== 'ustar\x0000') {
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
    const isName = key === 'path' || key === 'linkpath';
    // npm reads records by lines, and would take such a name for another one.
    const isOdd = isName ? /[\n\0]/.test(value) : key === 'size' && !/^\d{1,15}$/.test(value);
    if (!isWhole || isOdd) {
      throw makeArchiveError('it holds a pax header that makes no sense');
    }
    if (key === 'size') overrides.size = Number(value);
    else if (isName) overrides[key] = value;
  }
  return overrides;
}
