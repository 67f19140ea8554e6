/** The operator's file: read when a process starts, and its blocked versions again when a feature is first used. */
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { AnnexError, toRefusal } from '../base/error.ts';
import { readJson } from '../base/files.ts';
import { isObject } from '../base/shape.ts';
import type { Blocked, Refusal } from '../types.ts';
import { refuseSetting } from './parse.ts';
import { type ReadSource, readSource, resolveSettings } from './sources.ts';

/** Bytes of the file. */
const MAX_SIZE = 2 ** 20;

/** Reads the operator's file. One that cannot be read might forbid installs, so it closes the gate. */
export function readOperatorFile(path: string): ReadSource {
  try {
    return readSource({ kind: 'operator file', path, written: parseFile(path) });
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'is not valid JSON' : 'cannot be read';
    const closing = toRefusal(error, () => refuseFile(path, problem));
    return { statements: [], refusals: [closing], closing };
  }
}

function parseFile(path: string): Record<string, unknown> {
  if (!isAbsolute(path)) throw new AnnexError(refuseFile(path, 'is not an absolute path'));
  if (!existsSync(path)) {
    throw new AnnexError(refuseFile(path, 'does not exist or cannot be reached'));
  }
  const written: unknown = readJson(path, MAX_SIZE, 'follow');
  if (isObject(written)) return written;
  throw new AnnexError(refuseFile(path, 'does not hold a JSON object'));
}

const refuseFile = (path: string, problem: string): Refusal =>
  refuseSetting(
    `the operator's file ${path === '' ? '""' : path} ${problem}`,
    'correct the file, or unset ANNEX_CONFIG',
  );

/**
 * Reads the blocked versions of the operator's file again.
 *
 * @param known those of the last valid list, which remain blocked when the file or its list is invalid
 */
export function readOperatorBlocked(
  path: string,
  known: Blocked[],
): { blocked: Blocked[]; isValid: boolean } {
  const source = readOperatorFile(path);
  const { blocked } = resolveSettings([source]).values;
  const isValid = source.closing === undefined;
  return { blocked: isValid ? blocked : [...known, ...blocked], isValid };
}
