/** Semver, loaded when the first range really has to be compared: it costs 13 ms. */
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** Ranges so plain that no library is needed to see that they are valid. */
const PLAIN = /^(?:\*|[\^~]?(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,2})$/;

/** Whether a text is a semver range. */
export function isRange(range: string): boolean {
  if (PLAIN.test(range)) return true;
  const validRange = load('semver/ranges/valid') as typeof import('semver').validRange;
  return validRange(range) !== null;
}

/**
 * Whether a version lies in a range; false for what is no version. As npm has it, a star takes
 * prereleases too.
 *
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/arborist/lib/dep-valid.js
 */
export function satisfies(version: string, range: string): boolean {
  const satisfies = load('semver/functions/satisfies') as typeof import('semver').satisfies;
  return satisfies(version, range, { includePrerelease: /^\s*\*?\s*$/.test(range) });
}

/** Whether a version lies in a range, prereleases like all others; false for what is no version. */
export function satisfiesWithPrereleases(version: string, range: string): boolean {
  const satisfies = load('semver/functions/satisfies') as typeof import('semver').satisfies;
  return satisfies(version, range, { includePrerelease: true });
}

/** Whether every version of a range lies in another, prereleases like all others. */
export function isSubset(range: string, other: string): boolean {
  const subset = load('semver/ranges/subset') as typeof import('semver').subset;
  return subset(range, other, { includePrerelease: true });
}

/** Compares two versions, for sorting; what is none comes before all others. */
export function compareVersions(a: string, b: string): number {
  const compare = load('semver/functions/compare') as typeof import('semver').compare;
  const valid = load('semver/functions/valid') as typeof import('semver').valid;
  return compare(valid(a) ?? '0.0.0-0', valid(b) ?? '0.0.0-0');
}
