/** Collects the blocked versions from package.json and the operator's file, and finds them in a closure. */
import { isSubset, satisfiesWithPrereleases } from '../base/semver.ts';
import { findBlocked, refuseBlocked } from '../settings/blocked.ts';
import type { Feature } from '../settings/feature.ts';
import { readOperatorBlocked } from '../settings/operator-file.ts';
import type { Settings } from '../settings/settings.ts';
import type { Blocked, Refusal } from '../types.ts';
import { findCorePackage } from './core.ts';
import { isShipped } from './inventory.ts';

/**
 * Lists the blocked versions. Each call reads the operator's file again; if that fails, the list that was read
 * at the start is used.
 */
export function listBlocked({ declaration, blocked, operatorFile }: Settings): Blocked[] {
  if (operatorFile === undefined) return declaration.blocked;
  return [...declaration.blocked, ...readOperatorBlocked(operatorFile, blocked)];
}

/**
 * Why these packages may not be used; undefined when they may.
 *
 * @param packages of a closure, without those that it shares with the core
 * @param isLocked whether a lock lists these packages
 * @param blocked the blocked versions, if the caller has read them already
 * @param covers whether a range covers a version
 */
export function findBlockedRefusal(
  settings: Settings,
  { name }: Feature,
  packages: Iterable<{ name: string; version: string }>,
  {
    isLocked,
    blocked = listBlocked(settings),
    covers = satisfiesWithPrereleases,
  }: { isLocked: boolean; blocked?: Blocked[]; covers?: typeof satisfiesWithPrereleases },
): Refusal | undefined {
  const found = findBlocked(packages, blocked, covers);
  if (found === undefined) return undefined;
  const remedy = isLocked
    ? `lock another version: npx annex lock ${name}`
    : 'declare another range';
  return refuseBlocked(found, remedy, found.by === settings.operatorFile);
}

/**
 * Returns a refusal when every version in a declared range is blocked, so that no resolution can succeed.
 */
export function findDeclaredRefusal(settings: Settings, feature: Feature): Refusal | undefined {
  const { core } = settings;
  const wanted = Object.entries(feature.packages)
    .filter(([name]) => findCorePackage(name, core.root) === undefined || !isShipped(core, name))
    .map(([name, range]) => ({ name, version: range }));
  return findBlockedRefusal(settings, feature, wanted, { isLocked: false, covers: isSubset });
}
