/** Compares a lock with the declaration and with what core ships, without a network. */
import { join } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { readInventory } from '../app/inventory.ts';
import type { Lookup } from '../app/lookup.ts';
import { listLocks, lockRoot, type Pin, refuseLock, type Sidecar } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { type Platform, parsePlatform } from '../base/platform.ts';
import { RANGES } from '../install/resolve.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { identifyAll } from '../plan/identity.ts';
import { type Plan, plan, type SharedPackage } from '../plan/plan.ts';
import { select, selectAll } from '../plan/platform.ts';
import type { LockedPackages } from '../plan/project.ts';
import type { Settings } from '../settings/settings.ts';
import { diffLocks, type LockDiff } from './diff.ts';
import { listTemporaries } from './replace.ts';

/** A difference, as a clause after the name of the feature, and what fixes it. */
export interface LockProblem {
  what: string;
  remedy: string;
  /** What locking again changes, where the packages that core ships decide it. */
  diff?: LockDiff;
}

/** Lists what differs. */
export function checkLock(lookup: Lookup): LockProblem[] {
  const { declaration } = lookup.settings;
  const { name, refusal: invalid } = lookup.feature;
  const describe = (what: string, before = '', diff?: LockDiff): LockProblem => ({
    what,
    remedy: `${before}npx annex lock ${name}`,
    ...(diff && { diff }),
  });
  if (invalid !== undefined) return [describe(invalid.reason, `${invalid.hint}, then `)];
  const { pin, refusal } = lookup.readLock();
  if (refusal !== undefined) return [describe(refusal.reason)];
  if (pin === undefined) return [describe('is not locked')];
  const { platforms } = pin.sidecar;
  if (platforms.join() !== declaration.platforms.join()) {
    const [locked, declared] = [platforms, declaration.platforms].map((list) => list.join(', '));
    return [describe(`is locked for ${locked}, and ${declared} is declared`)];
  }
  try {
    return listDifferences(lookup, pin).map(({ what, first, diff }) => describe(what, first, diff));
  } catch (error) {
    if (error instanceof AnnexError) return [describe(error.refusal.reason)];
    throw error;
  }
}

interface LockDifference {
  what: string;
  /** What to do before locking again. */
  first?: string;
  diff?: LockDiff;
}

function listDifferences(lookup: Lookup, { sidecar, readPackageLock, dir }: Pin): LockDifference[] {
  const { settings, feature } = lookup;
  const inventory = readInventory(settings.core.realRoot);
  const lock = JSON.parse(readPackageLock()) as { packages: LockedPackages };
  const graph = readGraph(lock, (problem) =>
    refuseLock(`${dir}/package-lock.json ${problem}`, feature),
  );
  const made = plan({ ...feature, graph, inventory, unshared: sidecar.unshared }, RANGES);
  if (made.conflicts.length > 0) {
    return made.conflicts.map((conflict) => ({
      what: refuseConflicts([conflict], true).reason,
      first: "bring core's copy to a version that fits, or run ",
    }));
  }
  const nodes = selectAll(made, sidecar.platforms).values();
  const blocked = findBlockedRefusal(lookup, nodes);
  if (blocked !== undefined) return [{ what: blocked.reason }];
  const kept = [...made.nodes.keys()].map((path) => [path, lock.packages[path] ?? {}]);
  const [before, after] = [
    { shared: sidecar.shared, packages: lock.packages },
    { shared: made.shared, packages: Object.fromEntries(kept) },
  ];
  const diff = diffLocks(before, after, Object.keys(feature.packages));
  const changes = compareSharing(sidecar, made).map((what) => ({ what, diff }));
  if (changes.length > 0 || isSameContent(sidecar, made)) return changes;
  return [
    { what: `${join(dir, 'annex.json')} does not belong to the package-lock.json beside it` },
  ];
}

/** Whether the lock lists exactly the packages of a plan, with the ids that follow. */
function isSameContent({ ids, packages, platforms, scripts }: Sidecar, made: Plan): boolean {
  const nodes = platforms.flatMap((name) => select(made, parsePlatform(name) as Platform).nodes);
  const paths = nodes.filter(({ isBundled }) => !isBundled).map(({ path }) => path);
  const wanted = [identifyAll(made, platforms, scripts), [...new Set(paths)].sort()];
  return JSON.stringify(wanted) === JSON.stringify([ids, Object.keys(packages)]);
}

/** Lists packages that were shared when locked and would be private now, and others. */
function compareSharing(
  before: Pick<Plan, 'shared' | 'private'>,
  now: Pick<Plan, 'shared' | 'private'>,
): string[] {
  const describe = (shared: SharedPackage | undefined): string =>
    shared === undefined ? 'private' : `core's ${shared.version}`;
  const names = new Set([...Object.keys(before.shared), ...Object.keys(now.shared)]);
  const changes = [...names].flatMap((name) => {
    const [locked, wanted] = [before.shared[name], now.shared[name]].map(describe);
    return locked === wanted
      ? []
      : [`${name} is ${locked} in the lock, and would now be ${wanted}`];
  });
  const isOther = before.private.join() !== now.private.join();
  return changes.length === 0 && isOther ? ['the lock has other private packages'] : changes;
}

/**
 * Lists directories of locks of undeclared features. Lists none while the declaration has a mistake
 * outside its features: the mistake may hide one.
 */
export function listStrayLocks({ core, declaration }: Settings): string[] {
  if (declaration.refusals.length > 0) return [];
  const slugs = new Set([...declaration.features.values()].map(({ slug }) => slug));
  return listLocks(core.root)
    .filter((slug) => !slugs.has(slug))
    .map((slug) => join(lockRoot(core.root), slug));
}

/**
 * Describes what `annex lock` removes, each as a clause.
 *
 * @param strays directories of locks of undeclared features
 * @param root of the application
 */
export const describeLeftovers = (strays: readonly string[], root: string): string[] => [
  ...strays.map((dir) => `${dir} locks a feature that is not declared`),
  ...listTemporaries(root).map((path) => `${path} is left from an interrupted command`),
];
