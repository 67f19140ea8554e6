/** What is blocked here, by the core's package.json and by the operator's file as it is now. */
import { isCovered, isSubset } from '../base/ranges.ts';
import { findBlocked, refuseBlocked } from '../settings/blocked.ts';
import { readOperatorBlocked } from '../settings/operator-file.ts';
import type { Blocked, Feature, Refusal, Settings } from '../types.ts';
import { findCorePackage } from './core.ts';
import { isShipped } from './inventory.ts';

/**
 * Everything that is blocked. The operator's file is read again each time; when that cannot be done,
 * what it said when the process started stands.
 */
export function listBlocked({ declaration, blocked, operatorFile }: Settings): Blocked[] {
  if (operatorFile === undefined) return declaration.blocked;
  return [...declaration.blocked, ...readOperatorBlocked(operatorFile, blocked)];
}

/**
 * Why these packages may not be used; undefined when they may.
 *
 * @param packages of a closure; what it takes from core is none of them
 * @param isLocked whether they are those of a lock
 * @param blocked what is blocked, if that is known already
 * @param covers whether a range covers a version
 */
export function findBlockedRefusal(
  settings: Settings,
  { name }: Feature,
  packages: Iterable<{ name: string; version: string }>,
  {
    isLocked,
    blocked = listBlocked(settings),
    covers = isCovered,
  }: { isLocked: boolean; blocked?: Blocked[]; covers?: typeof isCovered },
): Refusal | undefined {
  const found = findBlocked(packages, blocked, covers);
  if (found === undefined) return undefined;
  const remedy = isLocked
    ? `lock another version: npx annex lock ${name}`
    : 'declare another range';
  return refuseBlocked(found, remedy, found.by === settings.operatorFile);
}

/**
 * Why a resolution of a feature cannot find a version that may be used: all that the declaration allows
 * are blocked. Undefined when one may be left.
 */
export function findDeclaredRefusal(settings: Settings, feature: Feature): Refusal | undefined {
  const { core } = settings;
  const wanted = Object.entries(feature.packages)
    .filter(([name]) => findCorePackage(name, core.root) === undefined || !isShipped(core, name))
    .map(([name, range]) => ({ name, version: range }));
  return findBlockedRefusal(settings, feature, wanted, { isLocked: false, covers: isSubset });
}
