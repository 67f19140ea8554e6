/** What counts as a boolean in a setting, and what a key that is none of the settings may have meant. */

const ON = new Set(['1', 'true', 'yes', 'on']);
const OFF = new Set(['0', 'false', 'no', 'off']);

/**
 * Reads a switch, any case; undefined for what is none (the caller then takes the restrictive
 * value and says so).
 *
 * @example parseSwitch('Yes') // true
 */
export function parseSwitch(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const word = String(value).trim().toLowerCase();
  if (ON.has(word)) return true;
  return OFF.has(word) ? false : undefined;
}

/** Edits between two names that are still taken for one. */
const MOST_EDITS = 2;
/** Letters at their beginning that are enough as well: `block` for `blocked`, `allow` for `allowInstalls`. */
const STEM = 5;

/**
 * Whether a name may be a misspelling of another: two letters away at most, or with the same
 * beginning; signs and case do not count.
 *
 * @example isNear('allow-install', 'allowInstalls') // true
 */
export function isNear(name: string, known: string): boolean {
  const [a, b] = [name, known].map((text) => text.toLowerCase().replace(/^annex_|[^a-z0-9]/g, ''));
  if (a === undefined || b === undefined || a.length > 100) return false;
  return a.slice(0, STEM) === b.slice(0, STEM) || countEdits(a, b) <= MOST_EDITS;
}

/** Letters to insert, delete or replace (Levenshtein). */
function countEdits(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const now = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const [left = 0, above = 0, corner = 0] = [
        now[column - 1],
        before[column],
        before[column - 1],
      ];
      now.push(Math.min(left + 1, above + 1, corner + (isSame ? 0 : 1)));
    }
    before = now;
  }
  return before[b.length] ?? 0;
}

/** What a key that is not known counts as: of a switch the restrictive value, of all others nothing. */
const RESTRICTIVE: Record<string, string> = {
  allowInstalls: 'is not known to this version and is taken for allowInstalls: false',
  blocked: 'is not known to this version and is taken for blocked',
};

/**
 * What becomes of a key that is none of the known ones.
 *
 * @returns a clause about it, and the known key that it is near to
 */
export function describeUnknown(
  key: string,
  known: Iterable<string>,
): { meaning: string; near?: string } {
  const near = [...known].find((other) => isNear(key, other));
  const meaning = 'is not known to this version and does nothing';
  if (near === undefined) return { meaning };
  return { near, meaning: RESTRICTIVE[near] ?? `${meaning}: ${near} would be known` };
}
