/** Parsers of single settings, and the refusal of a setting that they cannot parse. */
import type { Refusal } from '../types.ts';

/** Parses a written value; undefined when it is invalid. */
export type Parse<T> = (written: unknown, context: ParseContext) => T | undefined;

/** The surroundings of a value that is parsed. */
export interface ParseContext {
  /** The file that the value is in, as messages name it: `package.json`, `/etc/annex.json`. */
  by: string;
  /** Reports an invalid item of a list; `isDropped` unless the value still contains it. */
  report: (index: number, reason: string, isDropped: boolean) => void;
}

/** Refusal of a setting. */
export const refuseSetting = (reason: string, hint = 'correct that key'): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint,
});

const ON = new Set(['1', 'true', 'yes', 'on']);
const OFF = new Set(['0', 'false', 'no', 'off']);

/**
 * Parses a switch, in any case.
 *
 * @example parseSwitch('Yes') // true
 */
export function parseSwitch(written: unknown): boolean | undefined {
  if (typeof written === 'boolean') return written;
  if (typeof written !== 'string' && typeof written !== 'number') return undefined;
  const word = String(written).trim().toLowerCase();
  if (ON.has(word)) return true;
  return OFF.has(word) ? false : undefined;
}

/** A parser of one of several words. */
export const parseWord =
  <T extends string>(...words: readonly T[]): Parse<T> =>
  (written) =>
    words.find((word) => word === written);

/**
 * A parser of a list. Invalid items are reported and dropped.
 *
 * @param form of an item: `a package name`
 */
export const parseList =
  (form: string, isValid: (item: string) => boolean): Parse<string[]> =>
  (written, { report }) =>
    Array.isArray(written)
      ? written.filter((item, index): item is string => {
          if (typeof item === 'string' && isValid(item)) return true;
          report(index, `is not ${form}`, true);
          return false;
        })
      : undefined;

/** Edits between two names up to which one counts as a misspelling of the other. */
const MAX_EDITS = 2;
/** Length of a common beginning that is enough as well: `block` for `blocked`, `allow` for `allowInstalls`. */
const STEM = 5;

/**
 * Whether a name may be a misspelling of another: at most two edits away, or with the same
 * beginning. Punctuation and case do not count.
 *
 * @example isNear('allow-install', 'allowInstalls') // true
 */
export function isNear(name: string, known: string): boolean {
  const [a, b] = [name, known].map((text) => text.toLowerCase().replace(/^annex_|[^a-z0-9]/g, ''));
  if (a === undefined || b === undefined || a.length > 100) return false;
  return a.slice(0, STEM) === b.slice(0, STEM) || countEdits(a, b) <= MAX_EDITS;
}

/**
 * Levenshtein distance.
 *
 * @example countEdits('lsit', 'list') // 2
 */
export function countEdits(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const [left = 0, above = 0, corner = 0] = [
        now[column - 1],
        before[column],
        before[column - 1],
      ];
      now.push(Math.min(left + 1, above + 1, corner + (a[row - 1] === b[column - 1] ? 0 : 1)));
    }
    before = now;
  }
  return before[b.length] ?? 0;
}
