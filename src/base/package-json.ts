/** Reads package.json files. */
import { join } from 'node:path';
import { readText } from './files.ts';
import { isTransient } from './thrown.ts';

/** Bytes of a package.json. */
const MAX_SIZE = 8 * 2 ** 20;

/** Reads the text of the package.json of a directory. @throws errors of the file system */
export const readPackageText = (dir: string): string =>
  readText(join(dir, 'package.json'), MAX_SIZE, 'follow');

/**
 * Reads the package.json of a directory; undefined when it is missing or unreadable.
 *
 * @throws errors of the file system that say nothing about the file
 */
export function readPackage(dir: string): Record<string, unknown> | undefined {
  try {
    return parsePackage(readPackageText(dir));
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}

/**
 * Parses as Node does: a byte order mark is allowed.
 *
 * @throws SyntaxError
 */
export function parsePackage(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  throw new SyntaxError('not an object');
}
