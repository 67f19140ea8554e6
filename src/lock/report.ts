/** Composes the npm project that represents a feature in a report: its entry, or else its lock. */
import { join } from 'node:path';
import { findCorePackage } from '../app/core.ts';
import { planLocked } from '../app/locked-plan.ts';
import { createLookup, findDeclarationRefusal } from '../app/lookup.ts';
import { findOutsideRefusal, findShippedVersions } from '../app/shipped.ts';
import { readAbi } from '../base/abi.ts';
import { AnnexError } from '../base/error.ts';
import { readPackage } from '../base/package-json.ts';
import type { Plan, SharedPackage } from '../plan/plan.ts';
import { selectAll } from '../plan/platform.ts';
import { composeProject, type FeatureProject, type LockedPackages } from '../plan/project.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { isContained } from '../store/directory.ts';
import { type Entry, findEntry } from '../store/entry.ts';
import type { LeftOut } from './locked.ts';

/** A project; or why the feature has none. */
export type ReportPart = FeatureProject | LeftOut;

/** Composes the project of a feature from what is on disk. Shared packages have core's current version. */
export function composeReportPart(settings: Settings, feature: Feature): ReportPart {
  const lookup = createLookup(settings, feature);
  if ((findShippedVersions(lookup) ?? findOutsideRefusal(lookup)) !== undefined) {
    const reason = "the application ships it, and npm reports it from the application's own lock";
    return { reason, isExpected: true };
  }
  const refusal = findDeclarationRefusal(lookup);
  if (refusal !== undefined) return { reason: refusal.reason, isExpected: false };
  const { entry } = findEntry(lookup, readAbi());
  const { pin } = lookup.readLock();
  if (pin === undefined) {
    return entry === undefined
      ? { reason: 'it is neither locked nor installed', isExpected: false }
      : composePart(settings, feature, readInstalled(entry), entry.manifest.shared);
  }
  let plan: Plan;
  try {
    plan = planLocked(lookup, pin);
  } catch (error) {
    if (error instanceof AnnexError) return { reason: error.refusal.reason, isExpected: false };
    throw error;
  }
  const { packages } = JSON.parse(pin.readPackageLock()) as { packages: LockedPackages };
  // A lock has packages of other platforms too; an entry does not.
  const paths =
    entry?.manifest.closure.map(({ path }) => path) ??
    selectAll(plan, pin.sidecar.platforms).keys();
  const locked = [...paths].map((path) => [path, packages[path] ?? {}]);
  return composePart(settings, feature, Object.fromEntries(locked), plan.shared);
}

/** Lists shared packages without their dependencies, which core ships and reports itself. */
function composePart(
  { core }: Settings,
  feature: Feature,
  packages: LockedPackages,
  recorded: Record<string, SharedPackage>,
): FeatureProject {
  const shared = Object.fromEntries(
    Object.entries(recorded).map(([name, { ranges, version }]) => [
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

/** Without a lock, the package.json files of the entry list the dependencies. None outside the entry is read. */
export function readInstalled({ dir, manifest }: Entry): LockedPackages {
  return Object.fromEntries(
    manifest.closure.map(({ path, name, version, integrity }) => {
      const file = join(dir, path, 'package.json');
      const found = (isContained(file, dir) && readPackage(join(dir, path))) || {};
      const kept = Object.fromEntries(LOCK_FIELDS.map((key) => [key, found[key]]));
      return [path, { name, version, integrity, ...kept }];
    }),
  );
}

/** Fields of a package.json that a package-lock repeats. */
const LOCK_FIELDS = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'license',
  'os',
  'cpu',
];
