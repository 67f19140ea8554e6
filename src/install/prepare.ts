/** The plan of an install: from the lock, or made at this moment. */
import { join } from 'node:path';
import { readInstallerEnv } from '../config.ts';
import { findCorePackage } from '../core.ts';
import { readInventory } from '../inventory.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { identifyPlan } from '../plan/identity.ts';
import { type Inventory, type Plan, plan } from '../plan/plan.ts';
import type { LockedPackages } from '../plan/project.ts';
import { platformOf } from '../policy/abi.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { readAbi } from '../runtime.ts';
import { type Pin, pinnedId, readPin, type Sidecar } from '../sidecar.ts';
import type { Feature, Refusal, Settings } from '../types.ts';
import { RANGES, resolvePlan } from './resolve.ts';

/** What is to be installed. */
export interface Prepared {
  plan: Plan;
  /** What the files of the packages have to be, when there is a lock. */
  sidecar?: Sidecar;
}

/** What a plan is made for. */
export interface Preparation {
  settings: Settings;
  feature: Feature;
  staging: string;
  signal: AbortSignal;
  /** Names that were found not to be shareable. */
  unshared: string[];
}

/** Days that a version has to be out before it is chosen, unless npm is set to something else. */
export const COOLDOWN = 1;

/** The moment so many days ago, as an ISO date. */
export const dateBefore = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString();

/** Plans an install; a plan that does not fit is a refusal. */
export async function prepare(preparation: Preparation): Promise<Prepared | Refusal> {
  const { settings, feature } = preparation;
  const pin = readPin(settings.core.root, feature);
  if (pin !== undefined && !('problem' in pin)) return prepareLocked(settings, feature, pin);
  const inventory = readInventory(settings.core.realRoot);
  const dir = join(preparation.staging, 'resolution');
  const npm = readNpmSettings(settings.core.root, readInstallerEnv(settings));
  const before = npm.hasReleaseAge ? undefined : dateBefore(COOLDOWN);
  const resolved = await resolvePlan({ ...preparation, inventory, dir, before });
  if ('code' in resolved) return resolved;
  const { plan: made } = resolved;
  if (made.conflicts.length > 0) return refuseConflicts(made.conflicts, false);
  return { plan: made };
}

/** What is shared was decided when it was locked; that it still fits is looked at again. */
export function prepareLocked(settings: Settings, feature: Feature, pin: Pin): Prepared | Refusal {
  const { sidecar } = pin;
  const lock = JSON.parse(pin.lock) as { packages: LockedPackages };
  const read = readGraph(lock);
  if ('problem' in read) return refuseLock(`${pin.dir}/package-lock.json ${read.problem}`, feature);
  const inventory: Inventory = new Map();
  for (const name of Object.keys(sidecar.shared)) {
    const version = findCorePackage(name, settings.core.root)?.version ?? '';
    inventory.set(name, { version, isDeclared: true, peers: [] });
  }
  const { packages, scripts } = feature;
  const { graph } = read;
  const { unshared } = sidecar;
  const asLocked = { conflicts: 'fail' as const, share: true, unshared };
  // Whoever locked has compared versions inside the closure, and the digest says that it is the same.
  const trusting = { ...RANGES, isRange: () => false };
  const made = plan({ graph, packages, inventory, scripts, ...asLocked }, trusting);
  if (made.conflicts.length > 0) return refuseConflicts(made.conflicts, true);
  const platform = platformOf(readAbi());
  const pinned = pinnedId(sidecar, platform);
  if (pinned !== undefined && pinned !== identifyPlan(made, platform, scripts)) {
    return refuseLock(`${pin.dir}/annex.json is not of the package-lock.json beside it`, feature);
  }
  return { plan: made, sidecar };
}

const refuseLock = (reason: string, { name }: Feature): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint: `whoever builds the application can lock it anew: npx annex lock ${name}`,
});
