/** What is in use of a feature, as an npm project: its entry, or else its lock, with core's copy where shared. */
import { join } from 'node:path';
import { findCorePackage, readPackage } from '../app/core.ts';
import { planLocked } from '../app/locked-plan.ts';
import { createLookup, findDeclarationRefusal } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import type { SharedPackage } from '../plan/plan.ts';
import { selectAll } from '../plan/platform.ts';
import type { Part } from '../plan/portfolio.ts';
import { composeProject, type LockedPackages } from '../plan/project.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findStatus } from '../status/status.ts';
import type { Entry } from '../store/entry.ts';
import { findEntry } from '../store/entry.ts';

/** A project; or why there is none, and whether that is as it should be. */
export type Effective = Part | { reason: string; isFine: boolean };

/** Finds out what a feature is made of here; never installs, never touches the network. */
export function findEffective(settings: Settings, feature: Feature): Effective {
  const lookup = createLookup(settings, feature);
  const { where } = findStatus(lookup, { isProduction: true });
  if (where === 'core' || where === 'core outside range') {
    const reason = "the application ships it itself: npm has it in the application's own lock";
    return { reason, isFine: true };
  }
  const refusal = findDeclarationRefusal(lookup);
  if (refusal !== undefined) return { reason: refusal.reason, isFine: false };
  const { entry } = findEntry(lookup, readAbi());
  const { pin } = lookup.readLock();
  if (pin === undefined) {
    return entry === undefined
      ? { reason: 'it is neither locked nor installed', isFine: false }
      : compose(settings, feature, readInstalled(entry), entry.manifest.shared);
  }
  const plan = planLocked(lookup, pin);
  if ('code' in plan) return { reason: plan.reason, isFine: false };
  const { packages } = JSON.parse(pin.lock) as { packages: LockedPackages };
  // Packages of other platforms are in a lock, and not in use.
  const paths =
    entry?.manifest.closure.map(({ path }) => path) ??
    selectAll(plan, pin.sidecar.platforms).keys();
  const locked = [...paths].map((path) => [path, packages[path] ?? {}]);
  return compose(settings, feature, Object.fromEntries(locked), plan.shared);
}

/** What core ships has its own dependencies from core, too: they are no affair of the feature. */
function compose(
  { core }: Settings,
  feature: Feature,
  packages: LockedPackages,
  taken: Record<string, SharedPackage>,
): Part {
  const shared = Object.fromEntries(
    Object.entries(taken).map(([name, { ranges, version }]) => [
      name,
      { ranges, version: findCorePackage(name, core.root)?.version ?? version },
    ]),
  );
  const copies = Object.entries(shared).map(([name, { version }]) => [
    `node_modules/${name}`,
    { version },
  ]);
  const nodes = new Map(Object.keys(packages).map((path) => [path, undefined]));
  const all = { ...packages, ...Object.fromEntries(copies) };
  return { slug: feature.slug, project: composeProject({ shared, nodes }, all, feature) };
}

/** Without a lock, what stands on disk says who asks for what. */
function readInstalled({ dir, manifest }: Entry): LockedPackages {
  return Object.fromEntries(
    manifest.closure.map(({ path, name, version, integrity }) => {
      const found = readPackage(join(dir, path)) ?? {};
      const edges = Object.fromEntries(EDGES.map((key) => [key, found[key]]));
      return [path, { name, version, integrity, ...edges }];
    }),
  );
}

const EDGES = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'license',
  'os',
  'cpu',
];
