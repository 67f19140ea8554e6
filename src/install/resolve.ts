/** Resolves a feature with npm and plans its closure: what core ships is pinned to core's versions. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_LOCK } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { readJson } from '../base/files.ts';
import { isRange, satisfies } from '../base/semver.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { type Inventory, type Plan, plan } from '../plan/plan.ts';
import type { LockedPackages } from '../plan/project.ts';
import { refuseInstall } from '../registry/failure.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import { RESOLVE, runNpm } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';

/** Minimum age of a chosen version in days, unless npm is configured to another one. */
const COOLDOWN = 1;

/**
 * The date after which a published version is too recent, in ISO format.
 *
 * @param minAge in days; by default that of npm's settings, or else one day
 * @returns undefined to leave it to npm's settings
 */
export function findCutoff(
  { hasReleaseAge }: NpmSettings,
  minAge = hasReleaseAge ? undefined : COOLDOWN,
): string | undefined {
  if (minAge === undefined) return undefined;
  return new Date(Date.now() - minAge * 86_400_000).toISOString();
}

/** A feature to resolve. */
export interface ResolveJob {
  settings: Settings;
  feature: Feature;
  inventory: Inventory;
  /** Where npm gets a working directory for each run; its caller removes them. */
  dir: string;
  signal: AbortSignal;
  /** Versions published after this ISO date are not chosen. */
  before?: string | undefined;
  /** Names that must not be shared. */
  unshared: string[];
  /** Packages of an earlier lock; each stays if it still fits. */
  locked?: LockedPackages;
  /** Versions of declared packages that replace their ranges. */
  exact?: Record<string, string>;
}

/** A plan, and the lock that it is made from. */
export interface ResolvedPlan {
  plan: Plan;
  packages: LockedPackages;
}

/**
 * Resolves with npm. The versions that core ships are given to npm as a package-lock: npm requests
 * only those of them that are peers, and accepts a 404, so that a large core costs nothing and its
 * unpublished packages do no harm. If a name turns out to be private, npm resolves again without
 * core's version of it.
 *
 * @throws AnnexError when npm fails or the plan has conflicts
 */
export async function resolvePlan(job: ResolveJob): Promise<ResolvedPlan> {
  const { feature, inventory, unshared, locked = {}, exact } = job;
  const pins = new Map<string, string>();
  for (const [name, { version }] of inventory) {
    if (feature.share && version !== '' && !unshared.includes(name)) pins.set(name, version);
  }
  for (;;) {
    const dependencies = { ...feature.packages, ...exact, ...Object.fromEntries(pins) };
    const seed = Object.fromEntries(
      [...pins].map(([name, version]) => [`node_modules/${name}`, { version }]),
    );
    const lock = await runResolution(job, dependencies, { ...locked, ...seed });
    const made = planResolved(job, lock);
    const freed = made.private.filter((name) => pins.has(name));
    // Only the last plan has all conflicts: packages below a private one can add to them.
    if (freed.length === 0) {
      rejectConflicts(made);
      return { plan: made, packages: lock.packages };
    }
    for (const name of freed) pins.delete(name);
  }
}

/** Plans the closure that npm resolved. */
export function planResolved({ feature, inventory, unshared }: ResolveJob, lock: NpmLock): Plan {
  const refuse = (problem: string): Refusal => refuseNpm(`the resolution of npm ${problem}`);
  return plan({ ...feature, graph: readGraph(lock, refuse), inventory, unshared }, RANGES);
}

/** @throws AnnexError for a plan with conflicts */
export function rejectConflicts({ conflicts }: Plan): void {
  if (conflicts.length > 0) throw new AnnexError(refuseConflicts(conflicts, false));
}

/** A package-lock that npm wrote. */
export interface NpmLock {
  lockfileVersion: number;
  packages: LockedPackages;
}

/** The semver rules of a plan. */
export const RANGES = { isRange, satisfies };

/**
 * Runs npm once.
 *
 * @param seed packages of the package-lock that npm starts from
 */
export async function runResolution(
  { settings, dir, signal, before }: ResolveJob,
  dependencies: Record<string, string>,
  seed: LockedPackages,
): Promise<NpmLock> {
  const cwd = mkdtempSync(join(dir, 'resolution-'));
  const packages = { '': { dependencies }, ...seed };
  const lock = { lockfileVersion: 3, requires: true, packages };
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ private: true, dependencies }));
  if (Object.keys(seed).length > 0) {
    writeFileSync(join(cwd, 'package-lock.json'), JSON.stringify(lock));
  }
  const args = before === undefined ? RESOLVE : [...RESOLVE, `--before=${before}`];
  const env = readInstallerEnv(settings);
  await runNpm({ args, cwd, core: settings.core.root, env, signal });
  return readNpmLock(cwd);
}

/** npm succeeded, and its result is of no use. */
const refuseNpm = (reason: string): Refusal => ({ ...refuseInstall(reason), hint: 'update npm' });

function readNpmLock(dir: string): NpmLock {
  try {
    return readJson(join(dir, 'package-lock.json'), MAX_LOCK) as NpmLock;
  } catch {
    throw new AnnexError(refuseNpm('npm left no package-lock.json that can be read'));
  }
}
