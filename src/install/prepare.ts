/** The plan of an install: from the lock, or made at this moment. */
import { join } from 'node:path';
import { readInventory } from '../app/inventory.ts';
import { planLocked } from '../app/locked-plan.ts';
import { readPin, type Sidecar } from '../app/pin.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import type { Plan } from '../plan/plan.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { resolvePlan } from './resolve.ts';

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
  if (pin !== undefined && !('problem' in pin)) {
    const made = planLocked(settings, feature, pin);
    return 'code' in made ? made : { plan: made, sidecar: pin.sidecar };
  }
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
