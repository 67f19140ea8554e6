/** Reads a package.json, and formats another content of it the way its owner wrote it. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { listAncestors, toRealPath } from '../app/core.ts';
import { readText } from '../base/files.ts';
import { codeOf } from '../base/thrown.ts';

/** Node reads past it, JSON.parse does not. */
const BOM = /^\uFEFF/;

/** Bytes of a package.json that are read. */
const MOST = 8 * 2 ** 20;

/** A package.json as it stands on disk. */
export interface ManifestFile {
  path: string;
  text: string;
  manifest: Record<string, unknown>;
}

/**
 * The nearest package.json from a directory upwards; undefined when there is none.
 *
 * @throws when it cannot be read or holds no JSON object; the message is one clause that names the file
 */
export function readNearestManifest(from: string): ManifestFile | undefined {
  const paths = listAncestors(from).map((dir) => join(dir, 'package.json'));
  const nearest = paths.find((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  if (nearest === undefined) return undefined;
  const path = toRealPath(nearest);
  let text: string;
  try {
    text = readText(path, MOST, 'follow');
  } catch (error) {
    throw new Error(`${path} cannot be read: ${codeOf(error)}`);
  }
  let manifest: unknown;
  try {
    manifest = JSON.parse(text.replace(BOM, ''));
  } catch {
    throw new Error(`${path} ${text.trim() === '' ? 'is empty' : 'does not parse as JSON'}`);
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    throw new Error(`${path} does not hold a JSON object`);
  }
  return { path, text, manifest: manifest as Record<string, unknown> };
}

/**
 * JSON that looks like the text before it.
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
