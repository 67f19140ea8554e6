/** Plans an install from a lock and the core, without a registry. */
import { readAbi } from '../base/abi.ts';
import { platformOf } from '../base/platform.ts';
import { satisfies } from '../base/semver.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { identifyPlan } from '../plan/identity.ts';
import { type Inventory, type Plan, plan } from '../plan/plan.ts';
import type { LockedPackages } from '../plan/project.ts';
import type { Feature } from '../settings/feature.ts';
import type { Refusal } from '../types.ts';
import { findBlockedRefusal } from './blocked.ts';
import { findCorePackage } from './core.ts';
import type { Lookup } from './lookup.ts';
import { type Pin, pinnedId } from './pin.ts';
import { findUnfit, selectHere } from './unfit.ts';

/** Why a locked feature cannot be installed here, whatever a registry answers; undefined when it can. */
export function findLockedRefusal(lookup: Lookup, pin: Pin): Refusal | undefined {
  const made = planLocked(lookup, pin);
  if ('code' in made) return made;
  const platform = platformOf(readAbi());
  const selection = selectHere(made, platform);
  return (
    findUnfit({ plan: made, sidecar: pin.sidecar }, selection, platform) ??
    findBlockedRefusal(lookup, selection.nodes)
  );
}

const plans = new WeakMap<Pin, Plan>();

/**
 * Plans an install from a lock; plans each lock once. What is shared was decided when it was locked; whether that
 * still fits what core ships is checked again.
 */
export function planLocked(lookup: Lookup, pin: Pin): Plan | Refusal {
  const known = plans.get(pin);
  if (known !== undefined) return known;
  const made = makePlan(lookup, pin);
  if (!('code' in made)) plans.set(pin, made);
  return made;
}

function makePlan({ settings, feature }: Lookup, pin: Pin): Plan | Refusal {
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
  const trusting = { satisfies, isRange: () => false };
  const made = plan({ graph, packages, inventory, scripts, ...asLocked }, trusting);
  if (made.conflicts.length > 0) return refuseConflicts(made.conflicts, true);
  const platform = platformOf(readAbi());
  const pinned = pinnedId(sidecar, platform);
  if (pinned !== undefined && pinned !== identifyPlan(made, platform, scripts)) {
    return refuseLock(
      `${pin.dir}/annex.json does not belong to the package-lock.json beside it`,
      feature,
    );
  }
  return made;
}

const refuseLock = (reason: string, { name }: Feature): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint: `lock it again: npx annex lock ${name}`,
});
