/** Reads the package.json that commands change, and formats a new content of it in the style of the old one. */
import { dirname, join } from 'node:path';
import { AnnexError } from '../../base/error.ts';
import { pathExists, readText } from '../../base/files.ts';
import { listAncestors, toRealPath } from '../../base/paths.ts';
import { isObject } from '../../base/shape.ts';
import { codeOf } from '../../base/thrown.ts';
import { refuseSetting } from '../../settings/parse.ts';

/** Node skips a byte order mark; JSON.parse does not. */
const BOM = /^\uFEFF/;

/** Bytes of a package.json. */
const MAX_SIZE = 8 * 2 ** 20;

/** A package.json on disk. */
export interface ManifestFile {
  /** Real path. */
  path: string;
  /** The directory that it is in. */
  root: string;
  text: string;
  manifest: Record<string, unknown>;
}

/**
 * Reads the nearest package.json in a directory or above; undefined when there is none.
 *
 * @param prefix of the reason when it is refused
 * @throws AnnexError when it cannot be read or does not hold a JSON object
 */
export function readNearestManifest(from: string, prefix = ''): ManifestFile | undefined {
  const nearest = listAncestors(from)
    .map((dir) => join(dir, 'package.json'))
    .find(pathExists);
  if (nearest === undefined) return undefined;
  const path = toRealPath(nearest);
  const refuse = (problem: string): AnnexError =>
    new AnnexError(refuseSetting(`${prefix}${path} ${problem}`, 'correct that file'));
  let text: string;
  try {
    text = readText(path, MAX_SIZE, 'follow');
  } catch (error) {
    throw refuse(`cannot be read: ${codeOf(error)}`);
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(text.replace(BOM, ''));
  } catch {
    throw refuse(text.trim() === '' ? 'is empty' : 'does not parse as JSON');
  }
  if (isObject(manifest)) return { path, root: dirname(path), text, manifest };
  throw refuse('does not hold a JSON object');
}

/**
 * Formats JSON like a text.
 *
 * @example formatLike('{\r\n\t"a": 1\r\n}\r\n', { a: 2 }) // '{\r\n\t"a": 2\r\n}\r\n'
 */
export function formatLike(before: string, value: object): string {
  const isOneLine = !before.trim().includes('\n');
  const indent = isOneLine ? '' : (/^[ \t]+(?=")/m.exec(before)?.[0] ?? '  ');
  const lineEnd = before.includes('\r\n') ? '\r\n' : '\n';
  const json = JSON.stringify(value, undefined, indent).replaceAll('\n', lineEnd);
  const start = BOM.exec(before)?.[0] ?? '';
  return start + json + (before.endsWith('\n') ? lineEnd : '');
}
