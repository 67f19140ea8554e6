/** Composes tar archives whose bytes depend only on paths, modes and contents: ustar, and pax headers for what it cannot express. */

/** A file, directory or link of an archive. It belongs to user and group 0, and is of 1970-01-01. */
export interface TarMember {
  /** Relative, with slashes; a directory has none at its end. */
  path: string;
  type: 'file' | 'directory' | 'link';
  /** Permission bits. */
  mode: number;
  /** Bytes of a file; 0 for others. */
  size: number;
  /** Of a link. */
  target?: string;
}

const BLOCK = 512;
/** Bytes of the fields for a path and for the target of a link. */
const NAME = 100;
/** The largest size in eleven octal digits. */
const MAX_SIZE = 8 ** 11 - 1;
const FLAGS = { file: '0', directory: '5', link: '2' };
const PAX = 'x';

/** The end of an archive. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);

/** The zeros after a body of this size. */
export const composePadding = (size: number): Buffer =>
  Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);

/**
 * Composes what precedes the body of a member.
 *
 * Format: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html.
 *
 * @example Buffer.concat([composeTarHeader({ path: 'a', type: 'file', mode: 0o444, size: 2 }), body, composePadding(2), TAR_END])
 */
export function composeTarHeader({ path, type, mode, size, target = '' }: TarMember): Buffer {
  const name = type === 'directory' ? `${path}/` : path;
  const records = [
    ...(fits(name) ? [] : [composeRecord('path', name)]),
    ...(fits(target) ? [] : [composeRecord('linkpath', target)]),
    ...(size <= MAX_SIZE ? [] : [composeRecord('size', `${size}`)]),
  ];
  const block = composeBlock({ name, flag: FLAGS[type], mode, size, target });
  if (records.length === 0) return block;
  const pax = Buffer.from(records.join(''));
  const head = composeBlock({ name: 'pax', flag: PAX, mode: 0o644, size: pax.length, target: '' });
  return Buffer.concat([head, pax, composePadding(pax.length), block]);
}

/** ustar is for ASCII. */
const fits = (text: string): boolean => text.length <= NAME && !/[^ -~]/.test(text);

/** `LENGTH KEY=VALUE\n`, where LENGTH is the bytes of the whole record. */
function composeRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  // The digits of the length can add a digit to it.
  const digits = `${bytes + `${bytes}`.length}`.length;
  return `${bytes + digits}${rest}`;
}

interface Fields {
  name: string;
  flag: string;
  mode: number;
  size: number;
  target: string;
}

function composeBlock({ name, flag, mode, size, target }: Fields): Buffer {
  const block = Buffer.alloc(BLOCK);
  const writeText = (text: string, at: number): void => {
    // What does not fit is in a pax header too.
    block.write(text.replace(/[^ -~]/g, '_').slice(0, NAME), at, 'latin1');
  };
  const writeNumber = (value: number, at: number, width: number): void => {
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
  };
  writeText(name, 0);
  writeNumber(mode, 100, 8);
  writeNumber(0, 108, 8);
  writeNumber(0, 116, 8);
  writeNumber(Math.min(size, MAX_SIZE), 124, 12);
  writeNumber(0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(flag, 156, 'latin1');
  writeText(target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  writeNumber(0, 329, 8);
  writeNumber(0, 337, 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
