/** Locks a feature: resolves it, looks at every file of it, and composes the project and its sidecar. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findBlockedRefusal, listBlocked } from '../app/blocked.ts';
import { readInventory } from '../app/inventory.ts';
import { LOCK_FILES, lockRoot, MOST_LOCK, type Sidecar } from '../app/pin.ts';
import { findRepository } from '../app/unfit.ts';
import { digest } from '../base/digest.ts';
import { AnnexError } from '../base/error.ts';
import { readJson } from '../base/files.ts';
import { type Platform, parsePlatform } from '../base/platform.ts';
import { satisfiesWithPrereleases } from '../base/semver.ts';
import { FORMAT } from '../base/store-layout.ts';
import { isTransient } from '../base/thrown.ts';
import { bring } from '../install/bring.ts';
import { findUnshared } from '../install/check.ts';
import { COOLDOWN, dateBefore } from '../install/prepare.ts';
import {
  RANGES,
  type Resolution,
  type Resolved,
  resolvePlan,
  runResolution,
} from '../install/resolve.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { identifyAll } from '../plan/identity.ts';
import { installedName, type Plan, plan } from '../plan/plan.ts';
import { select, selectAll } from '../plan/platform.ts';
import { composeProject, type LockedPackages, sortKeys } from '../plan/project.ts';
import { type NpmSettings, readNpmSettings } from '../registry/npm-settings.ts';
import { refuseInstall } from '../registry/package-failure.ts';
import { findBlocked } from '../settings/blocked.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { withTemporary } from '../store/temporary.ts';
import type { Blocked, Refusal } from '../types.ts';
import { listFitting } from './check.ts';
import { pinDigests, readPlaces, recordPackages } from './record.ts';
import type { Replacement } from './replace.ts';

/** What is to be locked. */
export interface Locking {
  settings: Settings;
  feature: Feature;
  signal: AbortSignal;
  /** Days that a version has to be out; undefined: npm's setting, else one. */
  minAge: number | undefined;
}

/** A lock that is not yet written. */
export interface Locked {
  sidecar: Sidecar;
  dir: string;
  /** Its files, in the order in which they are to be replaced. */
  files: Replacement[];
  /** How many an entry holds, over all platforms. */
  packages: number;
}

/**
 * Composes the lock of one feature; nothing is written. Versions that are locked already stay where
 * they still fit; the same input gives the same bytes.
 */
export async function lockFeature(locking: Locking): Promise<Locked | Refusal> {
  try {
    return await withTemporary((temporary) => lockIn(temporary, locking));
  } catch (error) {
    if (error instanceof AnnexError) return error.refusal;
    throw error;
  }
}

async function lockIn(temporary: string, locking: Locking): Promise<Locked | Refusal> {
  const { settings, feature, signal, minAge } = locking;
  const { core, declaration } = settings;
  const npm = readNpmSettings(core.root, readInstallerEnv(settings));
  const days = minAge ?? (npm.hasReleaseAge ? undefined : COOLDOWN);
  const dir = join(lockRoot(core.root), feature.slug);
  const unshared: string[] = [];
  const places = readPlaces(dir);
  const resolution: Resolution = {
    settings,
    feature,
    inventory: readInventory(core.realRoot),
    dir: join(temporary, 'resolution'),
    signal,
    before: days === undefined ? undefined : dateBefore(days),
    unshared,
    known: readKnown(dir, listBlocked(settings)),
  };
  const exact = listFitting(settings, feature);
  for (;;) {
    const resolved = await resolvePreferring(exact, resolution, npm);
    if ('code' in resolved) return resolved;
    const { plan: made } = resolved;
    const unserved = findUnserved(made, declaration.platforms);
    if (unserved !== undefined) return unserved;
    const nodes = [...selectAll(made, declaration.platforms).values()];
    const blocked = findBlockedRefusal(settings, feature, nodes, { isLocked: false });
    if (blocked !== undefined) return blocked;
    const repository = findRepository(made, nodes);
    if (repository !== undefined) return repository;
    const place = join(temporary, 'packages');
    mkdirSync(place);
    const unpacked = await bring({ settings, dir: place, nodes, signal, first: { places } });
    if ('code' in unpacked) return unpacked;
    const more = findUnshared(place, nodes, Object.keys(made.shared));
    rmSync(place, { recursive: true });
    if (more.length > 0) {
      unshared.push(...more);
      continue;
    }
    const { plan: pinned, packages } = pinDigests(made, resolved.packages, unpacked);
    const { manifest, lock } = composeProject(pinned, packages, feature);
    const records = recordPackages(nodes, unpacked, npm, places);
    const whole = { ...packages, '': lock.packages[''] ?? {} };
    const files = {
      'package.json': format(manifest),
      'package-lock.json': format({ ...lock, packages: withoutAddresses(whole, npm) }),
    };
    const sidecar = composeSidecar(locking, pinned, { records, files, unshared });
    const texts = { ...files, 'annex.json': format(sidecar) };
    const replacements = LOCK_FILES.map((name) => ({ path: join(dir, name), text: texts[name] }));
    return { sidecar, dir, files: replacements, packages: made.nodes.size };
  }
}

/** With versions that the application is developed with, if that can be: they may be too young. */
async function resolvePreferring(
  exact: Record<string, string>,
  resolution: Resolution,
  npm: NpmSettings,
): Promise<Resolved | Refusal> {
  if (Object.keys(exact).length > 0) {
    const resolved = await resolveWhole({ ...resolution, exact }, npm);
    if (!('code' in resolved) || resolution.signal.aborted) return resolved;
  }
  return resolveWhole(resolution, npm);
}

/**
 * The plan, and a project in which what core ships stands with all that it needs: npm ci, npm audit
 * and what else reads it find nothing missing. No age has a say in what core ships already; a version
 * of it that was never published stands there without what it needs.
 */
async function resolveWhole(
  resolution: Resolution,
  { hasReleaseAge }: NpmSettings,
): Promise<Resolved | Refusal> {
  const { feature, inventory, unshared, known } = resolution;
  const first = await resolvePlan(resolution);
  if ('code' in first) return first;
  if (first.plan.conflicts.length > 0) return refuseConflicts(first.plan.conflicts, false);
  const { nodes, shared } = first.plan;
  if (Object.keys(shared).length === 0) return first;
  const seed = Object.entries(first.packages).filter(([path]) => nodes.has(path));
  const { manifest } = composeProject(first.plan, first.packages, feature);
  const before = hasReleaseAge ? dateBefore(-1) : undefined;
  const whole = await runResolution({ ...resolution, before }, manifest.dependencies, {
    ...known,
    ...Object.fromEntries(seed),
  });
  if ('code' in whole) return /\b(E404|ETARGET)\b/.test(whole.reason) ? first : whole;
  const read = readGraph(whole);
  if ('problem' in read) return refuseInstall(`what npm resolved ${read.problem}`);
  const made = plan({ ...feature, graph: read.graph, inventory, unshared }, RANGES);
  if (made.conflicts.length > 0) return refuseConflicts(made.conflicts, false);
  return { plan: made, packages: whole.packages };
}

/** A package that is needed and is not made for one of the platforms. */
function findUnserved(made: Plan, platforms: string[]): Refusal | undefined {
  for (const name of platforms) {
    const { unsupported } = select(made, parsePlatform(name) as Platform);
    if (unsupported === undefined) continue;
    return {
      code: 'ANNEX_UNSUPPORTED_PLATFORM',
      reason: `${unsupported.name} ${unsupported.version} is not made for ${name}`,
      hint: 'take that platform out of annex.platforms, or use another package',
    };
  }
  return undefined;
}

/** What was locked before, but for what is blocked by now; nothing when it cannot be read. */
function readKnown(dir: string, blocked: Blocked[]): LockedPackages {
  try {
    const path = join(dir, 'package-lock.json');
    const lock = readJson(path, MOST_LOCK, 'follow') as { packages: LockedPackages };
    const read = readGraph(lock);
    const nodes = 'problem' in read ? [] : [...read.graph.values()];
    const known = nodes.filter(
      (node) => findBlocked([node], blocked, satisfiesWithPrereleases) === undefined,
    );
    return Object.fromEntries(known.map(({ path }) => [path, lock.packages[path] ?? {}]));
  } catch (error) {
    if (isTransient(error)) throw error;
    return {};
  }
}

/** A registry is a matter of whoever installs: addresses on the registry of the package are left out. */
function withoutAddresses(packages: LockedPackages, npm: NpmSettings): LockedPackages {
  const entries = Object.entries(packages).map(([path, locked]) => {
    const { resolved, ...rest } = locked as { resolved?: string; name?: string };
    const name = rest.name ?? installedName(path);
    const isUsual = resolved !== undefined && npm.isOnRegistry(resolved, name);
    return [path, isUsual ? rest : locked] as const;
  });
  return sortKeys(Object.fromEntries(entries));
}

function composeSidecar(
  { feature, settings }: Locking,
  made: Plan,
  { records, files, unshared }: Parts,
): Sidecar {
  const { platforms } = settings.declaration;
  return {
    format: FORMAT,
    feature: feature.name,
    specs: feature.packages,
    scripts: feature.scripts,
    platforms,
    shared: made.shared,
    private: made.private,
    unshared: [...unshared].sort(),
    ids: identifyAll(made, platforms, feature.scripts),
    packages: records,
    digests: {
      'package.json': digest(files['package.json']),
      'package-lock.json': digest(files['package-lock.json']),
    },
  };
}

interface Parts {
  records: Sidecar['packages'];
  files: LockFiles;
  unshared: string[];
}

interface LockFiles {
  'package.json': string;
  'package-lock.json': string;
}

const format = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
