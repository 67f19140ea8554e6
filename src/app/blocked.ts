/** Finds blocked versions in a closure, and ranges that leave no other version. */
import { isSubset, satisfiesWithPrereleases } from '../base/semver.ts';
import { findBlocked, refuseBlocked } from '../settings/blocked.ts';
import type { Refusal } from '../types.ts';
import { findCorePackage } from './core.ts';
import { isShipped } from './inventory.ts';
import type { Lookup } from './lookup.ts';

/**
 * Returns a refusal when one of these packages is blocked.
 *
 * @param packages of a closure, without those that it shares with the core
 * @param covers whether a range covers a version
 * @param isLocking the lock is about to be replaced
 */
export function findBlockedRefusal(
  { settings, feature, readLock, listBlocked }: Lookup,
  packages: Iterable<{ name: string; version: string }>,
  {
    covers = satisfiesWithPrereleases,
    isLocking = false,
  }: { covers?: typeof satisfiesWithPrereleases; isLocking?: boolean } = {},
): Refusal | undefined {
  const found = findBlocked(packages, listBlocked(), covers);
  if (found === undefined) return undefined;
  const remedy =
    !isLocking && readLock().isLocked
      ? `lock another version: npx annex lock ${feature.name}`
      : 'declare another range';
  return refuseBlocked(found, remedy, found.by === settings.operatorFile);
}

/**
 * Returns a refusal when every version in a declared range is blocked, so that no resolution can succeed.
 */
export function findDeclaredRefusal(lookup: Lookup): Refusal | undefined {
  const { core } = lookup.settings;
  const wanted = Object.entries(lookup.feature.packages)
    .filter(([name]) => findCorePackage(name, core.root) === undefined || !isShipped(core, name))
    .map(([name, range]) => ({ name, version: range }));
  return findBlockedRefusal(lookup, wanted, { covers: isSubset });
}
