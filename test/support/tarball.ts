/** A small writer of gzipped tar archives whose bytes depend only on their entries. */
import { gzipSync } from 'node:zlib';

/** One entry of an archive. */
export interface TarEntry {
  /** Path in the archive, such as `package/index.js`; written unchanged, so that tests can write hostile ones. */
  path: string;
  data?: string | Buffer;
  /** Permission bits; 0o644 by default. */
  mode?: number;
  /** `file` by default; `old` is a file as Unix V7 wrote it. */
  type?: keyof typeof typeFlags;
  /** Target of a link. */
  target?: string;
  /** How names too long for ustar are written; `pax` by default. */
  longNames?: 'pax' | 'gnu';
  /** Additional pax records for this entry. */
  pax?: Record<string, string>;
}

const blockSize = 512;
const typeFlags = {
  file: '0',
  old: '\0',
  contiguous: '7',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  sparse: 'S',
  pax: 'x',
  global: 'g',
  gnuPath: 'L',
  gnuTarget: 'K',
  oldPax: 'X',
  oldLongName: 'N',
} as const;
/** The time that npm writes, 1985-10-26: a fixed one keeps the bytes stable. */
const modifiedAt = 499162500;

/** Splits a path into ustar's prefix (155 bytes) and name (100); undefined when it does not fit. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) > 155) return undefined;
    if (name !== '' && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  return undefined;
}

interface Header {
  prefix: string;
  name: string;
  mode: number;
  size: number;
  flag: string;
  target: string;
}

/** One ustar header block, POSIX.1-1988. */
function writeHeader({ prefix, name, mode, size, flag, target }: Header): Buffer {
  const block = Buffer.alloc(blockSize);
  const octal = (value: number, at: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 100);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(modifiedAt, 136, 12);
  block.write(flag, 156);
  block.write(target, 157, 100);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(prefix, 345, 155);
  return signHeader(block);
}

/** Writes the correct checksum into a header block, in place. */
export function signHeader(block: Buffer): Buffer {
  block.write('        ', 148);
  const sum = block.subarray(0, blockSize).reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function pad(data: Buffer): Buffer[] {
  return [data, Buffer.alloc((blockSize - (data.length % blockSize)) % blockSize)];
}

/** A pax record states its own length, the digits included. */
function writePaxRecord(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body);
  while (Buffer.byteLength(`${length}${body}`) !== length) {
    length = Buffer.byteLength(`${length}${body}`);
  }
  return Buffer.from(`${length}${body}`);
}

/** An entry with metadata of the next one. */
function writeMeta(flag: string, body: Buffer): Buffer[] {
  const name = flag === typeFlags.pax ? 'PaxHeader' : '././@LongLink';
  return [
    writeHeader({ prefix: '', name, mode: 0o644, size: body.length, flag, target: '' }),
    ...pad(body),
  ];
}

function writeEntry(entry: TarEntry): Buffer[] {
  const { path, mode = 0o644, type = 'file', target = '', longNames = 'pax', pax = {} } = entry;
  const data = Buffer.from(entry.data ?? '');
  const split = splitPath(path);
  const isLongTarget = Buffer.byteLength(target) > 100;
  const records = { ...pax };
  const before: Buffer[] = [];
  if (longNames === 'gnu') {
    if (!split) before.push(...writeMeta(typeFlags.gnuPath, Buffer.from(`${path}\0`)));
    if (isLongTarget) before.push(...writeMeta(typeFlags.gnuTarget, Buffer.from(`${target}\0`)));
  } else {
    if (!split) records.path = path;
    if (isLongTarget) records.linkpath = target;
  }
  if (Object.keys(records).length > 0) {
    const written = Object.entries(records).map(([key, value]) => writePaxRecord(key, value));
    before.push(...writeMeta(typeFlags.pax, Buffer.concat(written)));
  }
  const names = split ?? { prefix: '', name: path.slice(-50) };
  const rest = { mode, size: data.length, flag: typeFlags[type], target: target.slice(0, 100) };
  return [...before, writeHeader({ ...names, ...rest }), ...pad(data)];
}

/**
 * Builds a ustar archive; fields that are too long for ustar are in a header before it.
 * Equal entries give equal bytes, whatever the clock or the user.
 */
export function writeArchive(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(writeEntry), Buffer.alloc(2 * blockSize)]);
}

/**
 * The same, gzipped as npm packages are.
 * @example writeTarball([{ path: 'package/package.json', data: '{}' }])
 */
export function writeTarball(entries: readonly TarEntry[]): Buffer {
  return gzipSync(writeArchive(entries));
}
