/** Semver, loaded with the first comparison: it costs 13 ms. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** Ranges that are valid without loading semver. */
const SIMPLE_RANGE = /^(?:\*|[\^~]?(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,2})$/;

/** Whether a text is a semver range. */
export function isRange(range: string): boolean {
  if (SIMPLE_RANGE.test(range)) return true;
  const validRange = load('semver/ranges/valid') as typeof import('semver').validRange;
  return validRange(range) !== null;
}

/**
 * Whether a version is in a range; false for an invalid version. As in npm, `*` includes prereleases.
 *
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/arborist/lib/dep-valid.js
 */
export function satisfies(version: string, range: string): boolean {
  const satisfies = load('semver/functions/satisfies') as typeof import('semver').satisfies;
  return satisfies(version, range, { includePrerelease: /^\s*\*?\s*$/.test(range) });
}

/** Whether a version is in a range that includes prereleases; false for an invalid version. */
export function satisfiesWithPrereleases(version: string, range: string): boolean {
  const satisfies = load('semver/functions/satisfies') as typeof import('semver').satisfies;
  return satisfies(version, range, { includePrerelease: true });
}

/** Whether a range is a subset of another, prereleases included. */
export function isSubset(range: string, other: string): boolean {
  const subset = load('semver/ranges/subset') as typeof import('semver').subset;
  return subset(range, other, { includePrerelease: true });
}

/** Compares two versions for sorting; invalid versions come first. */
export function compareVersions(a: string, b: string): number {
  const compare = load('semver/functions/compare') as typeof import('semver').compare;
  const valid = load('semver/functions/valid') as typeof import('semver').valid;
  return compare(valid(a) ?? '0.0.0-0', valid(b) ?? '0.0.0-0');
}
