/** Versions that must not be used: parses a list of them, and finds one among packages. */
import { isRange } from '../base/semver.ts';
import { isObject } from '../base/shape.ts';
import type { Blocked, BlockedVersion, Refusal } from '../types.ts';
import { MAX_LENGTH } from './feature.ts';
import type { Parse } from './parse.ts';

/** Names of old packages have capitals. */
const NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;

/**
 * Parses a list of `NAME`, `NAME@RANGE` and `{ "spec", "reason" }`. An invalid item counts as the most
 * that it can mean: an invalid range as every version of that package.
 */
export const parseBlocked: Parse<Blocked[]> = (written, { by, report }) => {
  if (!Array.isArray(written)) return undefined;
  return written.flatMap((item: unknown, index): Blocked[] => {
    const { spec, reason, ...rest }: Record<string, unknown> = isObject(item)
      ? item
      : { spec: item };
    const text = typeof spec === 'string' ? spec.trim() : '';
    const at = text.indexOf('@', 1);
    const name = at === -1 ? text : text.slice(0, at);
    const range = at === -1 ? '*' : text.slice(at + 1).trim();
    if (!NAME.test(name)) {
      report(index, 'is not NAME, NAME@RANGE or { "spec", "reason" }', true);
      return [];
    }
    const isValid = range !== '' && range.length <= MAX_LENGTH && isRange(range);
    if (!isValid) report(index, `has an invalid range: every version of ${name} is blocked`, false);
    const hasReason = typeof reason === 'string';
    if (Object.keys(rest).length > 0 || !(hasReason || reason === undefined)) {
      report(index, 'has more than a spec and a reason in words, which is ignored', false);
    }
    const blocked = { name, range: isValid ? range : '*', spec: text, by };
    return [hasReason ? { ...blocked, reason } : blocked];
  });
};

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
 * @param isOperators whether the list is in the operator's file
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
