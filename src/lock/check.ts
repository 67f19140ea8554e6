/** Whether a lock still agrees with the declaration and with what core ships; looks at the disk alone. */
import { join } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { listUnshipped, readInventory } from '../app/inventory.ts';
import { createLookup, listBlocked } from '../app/lookup.ts';
import { listLocks, lockRoot, type Pin, readPin, type Sidecar } from '../app/pin.ts';
import { type Platform, parsePlatform } from '../base/platform.ts';
import { satisfies, satisfiesWithPrereleases } from '../base/semver.ts';
import { RANGES } from '../install/resolve.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { identifyAll } from '../plan/identity.ts';
import type { SharedPackage } from '../plan/plan.ts';
import { type Plan, plan } from '../plan/plan.ts';
import { select, selectAll } from '../plan/platform.ts';
import { findBlocked } from '../settings/blocked.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';

/**
 * What differs, one line each, with the feature and the command that mends it; none when the lock is
 * whole.
 */
export function checkLock(settings: Settings, feature: Feature): string[] {
  const { core, declaration } = settings;
  const { name, problem } = feature;
  const lock = `npx annex lock ${name}`;
  const tell = (what: string, before = ''): string => `${name}: ${what}. Now: ${before}${lock}`;
  if (problem !== undefined) {
    return [tell(`${problem.key}: ${problem.reason}`, 'correct that key, then ')];
  }
  const pin = readPin(core.root, feature);
  if (pin === undefined) return [tell('is not locked')];
  if ('problem' in pin) return [tell(pin.problem)];
  const { platforms } = pin.sidecar;
  if (platforms.join() !== declaration.platforms.join()) {
    const [locked, declared] = [platforms, declaration.platforms].map((list) => list.join(', '));
    return [tell(`is locked for ${locked}, and ${declared} is declared`)];
  }
  return checkPlan(settings, feature, pin).map(({ what, first }) => tell(what, first));
}

interface Difference {
  what: string;
  /** What may have to be done before it can be locked again. */
  first?: string;
}

function checkPlan(
  settings: Settings,
  feature: Feature,
  { sidecar, lock, dir }: Pin,
): Difference[] {
  const inventory = readInventory(settings.core.realRoot);
  const read = readGraph(JSON.parse(lock));
  if ('problem' in read) return [{ what: `${dir}/package-lock.json ${read.problem}` }];
  const { graph } = read;
  const made = plan({ ...feature, graph, inventory, unshared: sidecar.unshared }, RANGES);
  if (made.conflicts.length > 0) {
    return made.conflicts.map((conflict) => ({
      what: refuseConflicts([conflict], true).reason,
      first: "bring core's copy to a version that fits, or run ",
    }));
  }
  const nodes = selectAll(made, sidecar.platforms).values();
  const blocked = findBlockedRefusal(createLookup(settings, feature), nodes);
  if (blocked !== undefined) return [{ what: blocked.reason }];
  const others = compare(sidecar, made).map((what) => ({ what }));
  if (others.length > 0 || isOf(sidecar, made)) return others;
  return [{ what: `${join(dir, 'annex.json')} is not of the package-lock.json beside it` }];
}

function isOf({ ids, packages, platforms, scripts }: Sidecar, made: Plan): boolean {
  const nodes = platforms.flatMap((name) => select(made, parsePlatform(name) as Platform).nodes);
  const paths = nodes.filter(({ isBundled }) => !isBundled).map(({ path }) => path);
  const wanted = [identifyAll(made, platforms, scripts), [...new Set(paths)].sort()];
  return JSON.stringify(wanted) === JSON.stringify([ids, Object.keys(packages)]);
}

function compare(
  before: Pick<Plan, 'shared' | 'private'>,
  now: Pick<Plan, 'shared' | 'private'>,
): string[] {
  const names = new Set([...Object.keys(before.shared), ...Object.keys(now.shared)]);
  const describe = (shared: SharedPackage | undefined): string =>
    shared === undefined ? 'of its own' : `core's ${shared.version}`;
  const others = [...names].flatMap((name) => {
    const [locked, wanted] = [before.shared[name], now.shared[name]].map(describe);
    return locked === wanted
      ? []
      : [`it is locked with ${name} ${locked}, and would now have ${wanted}`];
  });
  const isOther = before.private.join() !== now.private.join();
  return others.length === 0 && isOther ? ['it is locked with other packages of its own'] : others;
}

/** A copy of a declared package that core has and does not ship, of another version than the locked one. */
export interface Drift {
  name: string;
  version: string;
  locked: string;
  /** The lock can follow: that version is in the declared range, and not blocked. */
  isFit: boolean;
}

/** Types and tests of the application are of those versions, and production is not. */
export function listDrifts(settings: Settings, feature: Feature): Drift[] {
  const { core } = settings;
  const pin = readPin(core.root, feature);
  if (feature.problem !== undefined || pin === undefined || 'problem' in pin) return [];
  const { packages } = JSON.parse(pin.lock) as { packages: Record<string, { version?: string }> };
  const fitting = listFitting(settings, feature);
  return listUnshipped(core, feature).flatMap(({ name, version }) => {
    const locked = packages[`node_modules/${name}`]?.version;
    if (locked === undefined || locked === version) return [];
    return { name, version, locked, isFit: Object.hasOwn(fitting, name) };
  });
}

/** Versions that core has and does not ship, as far as a lock may choose them: name to version. */
export function listFitting(settings: Settings, feature: Feature): Record<string, string> {
  const blocked = listBlocked(settings);
  const fitting = listUnshipped(settings.core, feature).filter(
    (one) =>
      satisfies(one.version, feature.packages[one.name] ?? '') &&
      findBlocked([one], blocked, satisfiesWithPrereleases) === undefined,
  );
  return Object.fromEntries(fitting.map(({ name, version }) => [name, version]));
}

/**
 * Directories of locks of features that are not declared; none while the declaration has a mistake
 * outside of its features, which may hide one.
 */
export function listStrayLocks({ core, declaration }: Settings): string[] {
  if (declaration.problems.length > 0) return [];
  const slugs = new Set([...declaration.features.values()].map(({ slug }) => slug));
  return listLocks(core.root)
    .filter((slug) => !slugs.has(slug))
    .map((slug) => join(lockRoot(core.root), slug));
}
