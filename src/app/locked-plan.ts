/** Plans an install from a lock and the core, without a registry. */
import { readAbi } from '../base/abi.ts';
import { AnnexError } from '../base/error.ts';
import { platformOf } from '../base/platform.ts';
import { satisfies } from '../base/semver.ts';
import { refuseConflicts } from '../plan/conflicts.ts';
import { readGraph } from '../plan/graph.ts';
import { identifyPlan } from '../plan/identity.ts';
import { type Inventory, type Plan, plan } from '../plan/plan.ts';
import type { LockedPackages } from '../plan/project.ts';
import type { Refusal } from '../types.ts';
import { findBlockedRefusal } from './blocked.ts';
import { findCorePackage } from './core.ts';
import type { Lookup } from './lookup.ts';
import { type Pin, pinnedId, refuseLock } from './pin.ts';
import { findPlatformRefusal, selectForPlatform } from './unfit.ts';

/** Why a locked feature cannot be installed on this machine, without asking a registry; undefined when it can. */
export function findLockedRefusal(lookup: Lookup, pin: Pin): Refusal | undefined {
  try {
    const made = planLocked(lookup, pin);
    const platform = platformOf(readAbi());
    const selection = selectForPlatform(made, platform);
    return (
      findPlatformRefusal({ plan: made, sidecar: pin.sidecar }, selection, platform) ??
      findBlockedRefusal(lookup, selection.nodes)
    );
  } catch (error) {
    if (error instanceof AnnexError) return error.refusal;
    throw error;
  }
}

const plans = new WeakMap<Pin, Plan>();

/**
 * Plans an install from a lock; returns the same plan for the same lock. The lock decides which packages
 * are shared; that they still fit the core is checked again.
 *
 * @throws AnnexError when they do not fit, and for a lock that annex did not write
 */
export function planLocked(lookup: Lookup, pin: Pin): Plan {
  const made = plans.get(pin) ?? makePlan(lookup, pin);
  plans.set(pin, made);
  return made;
}

function makePlan({ settings, feature }: Lookup, pin: Pin): Plan {
  const { sidecar } = pin;
  const lock = JSON.parse(pin.readPackageLock()) as { packages: LockedPackages };
  const graph = readGraph(lock, (problem) =>
    refuseLock(`${pin.dir}/package-lock.json ${problem}`, feature),
  );
  const inventory: Inventory = new Map();
  for (const name of Object.keys(sidecar.shared)) {
    const version = findCorePackage(name, settings.core.root)?.version ?? '';
    inventory.set(name, { version, isDeclared: true, peers: [] });
  }
  const { packages, scripts } = feature;
  const { unshared } = sidecar;
  const asLocked = { conflicts: 'fail' as const, share: true, unshared };
  // `annex lock` compared the versions inside the closure, and the digest proves that nothing changed.
  const trusting = { satisfies, isRange: () => false };
  const made = plan({ graph, packages, inventory, scripts, ...asLocked }, trusting);
  if (made.conflicts.length > 0) throw new AnnexError(refuseConflicts(made.conflicts, true));
  const platform = platformOf(readAbi());
  const pinned = pinnedId(sidecar, platform);
  if (pinned !== undefined && pinned !== identifyPlan(made, platform, scripts)) {
    const reason = `${pin.dir}/annex.json does not belong to the package-lock.json beside it`;
    throw new AnnexError(refuseLock(reason, feature));
  }
  return made;
}
