/** What is blocked here, by the core's package.json and by the operator's file as it is now. */
import { readOperatorBlocked } from './operator.ts';
import { findBlocked, refuseBlocked } from './policy/blocked.ts';
import { isCovered } from './ranges.ts';
import type { Blocked, Feature, Refusal, Settings } from './types.ts';

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
 */
export function findBlockedRefusal(
  settings: Settings,
  { name }: Feature,
  packages: Iterable<{ name: string; version: string }>,
  { isLocked, blocked = listBlocked(settings) }: { isLocked: boolean; blocked?: Blocked[] },
): Refusal | undefined {
  const found = findBlocked(packages, blocked, isCovered);
  if (found === undefined) return undefined;
  const remedy = isLocked
    ? `lock another version: npx annex lock ${name}`
    : 'declare another range';
  return refuseBlocked(found, remedy, found.by === settings.operatorFile);
}
