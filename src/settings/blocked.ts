/** Versions that must not be used: reading the lists, and finding one among packages. */
import { isObject } from '../base/shape.ts';
import type { Blocked, BlockedVersion, Refusal } from '../types.ts';
import type { Problem } from './feature.ts';
import { MAX_LENGTH } from './feature.ts';

/** A list as it was read. */
export interface ReadBlocked {
  blocked: Blocked[];
  problems: Problem[];
  /** The first of them that leaves open what is meant: until it is corrected nothing may be installed. */
  unclear?: Problem;
}

/** Names of old packages have capitals. */
const NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;

/**
 * Reads a list of `NAME`, `NAME@RANGE` and `{ "spec", "reason" }`. What is wrong is taken as the most
 * that it can mean: with a range that is none, every version of that package.
 *
 * @param key of the list, for the problems: `annex.blocked`
 * @param by whose list it is, as messages name it
 */
export function readBlocked(
  value: unknown,
  { key, by, isRange }: { key: string; by: string; isRange: (range: string) => boolean },
): ReadBlocked {
  if (value === undefined) return { blocked: [], problems: [] };
  if (!Array.isArray(value)) {
    const problem = { key, reason: 'is not a list' };
    return { blocked: [], problems: [problem], unclear: problem };
  }
  const read: ReadBlocked = { blocked: [], problems: [] };
  for (const [index, item] of value.entries()) {
    const { spec, reason, ...rest }: Record<string, unknown> = isObject(item)
      ? item
      : { spec: item };
    const tell = (what: string): Problem => {
      const problem = { key: `${key}[${index}]`, reason: what };
      read.problems.push(problem);
      return problem;
    };
    const text = typeof spec === 'string' ? spec.trim() : '';
    const at = text.indexOf('@', 1);
    const name = at === -1 ? text : text.slice(0, at);
    const range = at === -1 ? '*' : text.slice(at + 1).trim();
    if (!NAME.test(name)) {
      const unclear = tell('is neither NAME, NAME@RANGE nor { "spec", "reason" }');
      read.unclear ??= unclear;
      continue;
    }
    const isFine = range !== '' && range.length <= MAX_LENGTH && isRange(range);
    if (!isFine) tell(`has a range that is none; every version of ${name} is blocked`);
    const isTold = typeof reason === 'string';
    if (Object.keys(rest).length > 0 || !(isTold || reason === undefined)) {
      tell('has more than a spec and a reason in words; it counts all the same');
    }
    read.blocked.push({
      name,
      range: isFine ? range : '*',
      spec: text,
      by,
      ...(isTold && { reason }),
    });
  }
  return read;
}

/**
 * The first package that is blocked; undefined when none is.
 *
 * @param satisfiesWithPrereleases whether a version lies in a range, prereleases like all others
 */
export function findBlocked(
  packages: Iterable<{ name: string; version: string }>,
  blocked: readonly Blocked[],
  satisfiesWithPrereleases: (version: string, range: string) => boolean,
): BlockedVersion | undefined {
  if (blocked.length === 0) return undefined;
  for (const { name, version } of packages) {
    const item = blocked.find(
      (one) =>
        one.name === name && (one.range === '*' || satisfiesWithPrereleases(version, one.range)),
    );
    if (item === undefined) continue;
    const { range: _, ...rest } = item;
    return { ...rest, version };
  }
  return undefined;
}

/** One clause: `axios 1.7.2 is blocked by /etc/annex.json (axios@<1.7.4): CVE-2024-39338`. */
export function describeBlocked({ name, version, by, spec, reason = '' }: BlockedVersion): string {
  const why = reason.replace(/[.\s]+$/, '');
  return `${name} ${version} is blocked by ${by} (${spec})${why === '' ? '' : `: ${why}`}`;
}

/**
 * The refusal for a feature that holds a blocked version.
 *
 * @param remedy what to change in the application, as an imperative
 * @param isOperators the list is in a file of whoever runs this
 */
export function refuseBlocked(
  found: BlockedVersion,
  remedy: string,
  isOperators: boolean,
): Refusal {
  const other = isOperators ? `, or remove that item from ${found.by}` : '';
  return {
    code: 'ANNEX_DENIED',
    reason: describeBlocked(found),
    hint: `${remedy}${other}`,
    blocked: found,
  };
}
