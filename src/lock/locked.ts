/** Lists the packages of a feature's lock. */
import { planLocked } from '../app/locked-plan.ts';
import { findDeclarationRefusal, type Lookup } from '../app/lookup.ts';
import type { Pin } from '../app/pin.ts';
import { findOutsideRefusal, findShippedVersions } from '../app/shipped.ts';
import { AnnexError } from '../base/error.ts';
import type { LockNode } from '../plan/graph.ts';
import { selectAll } from '../plan/platform.ts';
import type { LockedPackages } from '../plan/project.ts';

/** Why a feature is left out of a report, and whether that is expected. */
export interface LeftOut {
  reason: string;
  isExpected: boolean;
}

/** The packages of a lock for all of its platforms, without those that it shares with the core. */
export interface LockedPart {
  pin: Pin;
  nodes: LockNode[];
  /** As the package-lock has them, by path. */
  packages: LockedPackages;
}

/** Reads the packages of a lock; needs no entry and no network. */
export function readLockedPart(lookup: Lookup): LockedPart | LeftOut {
  if ((findShippedVersions(lookup) ?? findOutsideRefusal(lookup)) !== undefined) {
    return { reason: 'the application ships it', isExpected: true };
  }
  const refusal = findDeclarationRefusal(lookup);
  if (refusal !== undefined) return { reason: refusal.reason, isExpected: false };
  const { pin } = lookup.readLock();
  if (pin === undefined) return { reason: 'it is not locked', isExpected: false };
  try {
    const nodes = [...selectAll(planLocked(lookup, pin), pin.sidecar.platforms).values()];
    const { packages } = JSON.parse(pin.readPackageLock()) as { packages: LockedPackages };
    return { pin, nodes, packages };
  } catch (error) {
    if (error instanceof AnnexError) return { reason: error.refusal.reason, isExpected: false };
    throw error;
  }
}
