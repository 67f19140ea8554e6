/** Makes a plan from npm's resolution, pinned to what core ships. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MOST_LOCK } from '../app/pin.ts';
import { readJson } from '../base/files.ts';
import { isRange, satisfies } from '../base/semver.ts';
import { readGraph } from '../plan/graph.ts';
import { type Inventory, type Plan, plan } from '../plan/plan.ts';
import type { LockedPackages } from '../plan/project.ts';
import { refuseInstall } from '../registry/package-failure.ts';
import { RESOLVE, runNpm } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { removeTree } from '../store/tree.ts';
import type { Refusal } from '../types.ts';

/** What is to be resolved. */
export interface Resolution {
  settings: Settings;
  feature: Feature;
  inventory: Inventory;
  /** A directory that does not exist yet and that npm may work in. */
  dir: string;
  signal: AbortSignal;
  /** Versions published after this are not chosen: an ISO date. */
  before?: string | undefined;
  /** Names that must not be shared. */
  unshared: string[];
  /** What was locked before, and stays where it still fits. */
  known?: LockedPackages;
  /** Versions of declared packages that are asked for in place of their ranges. */
  exact?: Record<string, string>;
}

/** A plan, and the lock that it is made from. */
export interface Resolved {
  plan: Plan;
  packages: LockedPackages;
}

/**
 * Resolves with npm. What core ships stands in the way of newer copies, as bare versions in a
 * package-lock: npm asks a registry about those of them alone that are peers, and takes no for an
 * answer, so that it costs nothing however large the core is, and packages that were never
 * published do no harm. A name that turns out to be private is
 * resolved anew without core's version.
 */
export async function resolvePlan(resolution: Resolution): Promise<Resolved | Refusal> {
  const { feature, inventory, unshared, known = {}, exact } = resolution;
  const { packages, conflicts, share, scripts } = feature;
  const pins = new Map<string, string>();
  for (const [name, { version }] of inventory) {
    if (share && version !== '' && !unshared.includes(name)) pins.set(name, version);
  }
  for (;;) {
    const seed = Object.fromEntries(
      [...pins].map(([name, version]) => [`node_modules/${name}`, { version }]),
    );
    const dependencies = { ...packages, ...exact, ...Object.fromEntries(pins) };
    const resolved = await runResolution(resolution, dependencies, { ...known, ...seed });
    if ('code' in resolved) return resolved;
    const read = readGraph(resolved);
    if ('problem' in read) return refuseInstall(`what npm resolved ${read.problem}`);
    const { graph } = read;
    const made = plan({ graph, packages, inventory, conflicts, share, scripts, unshared }, RANGES);
    const freed = made.private.filter((name) => pins.has(name));
    // With conflicts too: what is below a private package may have more of them.
    if (freed.length === 0) return { plan: made, packages: resolved.packages };
    for (const name of freed) pins.delete(name);
  }
}

interface NpmLock {
  lockfileVersion: number;
  packages: LockedPackages;
}

/** What the plan knows of semver. */
export const RANGES = { isRange, satisfies };

/**
 * One run of npm.
 *
 * @param seed packages that a package-lock has already
 */
export async function runResolution(
  { settings, dir, signal, before }: Resolution,
  dependencies: Record<string, string>,
  seed: LockedPackages,
): Promise<NpmLock | Refusal> {
  mkdirSync(dir);
  try {
    const lock = {
      lockfileVersion: 3,
      requires: true,
      packages: { '': { dependencies }, ...seed },
    };
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ private: true, dependencies }));
    if (Object.keys(seed).length > 0)
      writeFileSync(join(dir, 'package-lock.json'), JSON.stringify(lock));
    const args = before === undefined ? RESOLVE : [...RESOLVE, `--before=${before}`];
    const { core } = settings;
    const env = readInstallerEnv(settings);
    const refusal = await runNpm({ args, cwd: dir, core: core.root, env, signal });
    return refusal ?? readLock(dir);
  } finally {
    removeTree(dir);
  }
}

function readLock(dir: string): NpmLock | Refusal {
  try {
    return readJson(join(dir, 'package-lock.json'), MOST_LOCK) as NpmLock;
  } catch {
    return refuseInstall('npm left no package-lock.json that can be read');
  }
}
