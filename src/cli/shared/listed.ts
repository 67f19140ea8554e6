/** The state of a feature for `annex list`: what it is good for, its versions, and the age of its entry. */

import { listLocked } from '../../app/locked-versions.ts';
import type { Made } from '../../app/pin.ts';
import { ownOf } from '../../base/shape.ts';
import { isUsable } from '../../status/status.ts';
import type { FeatureStatus } from '../../types.ts';
import type { ExaminedFeature } from './examine.ts';
import { type Measured, measureEntry } from './measure-entry.ts';

/**
 * What a feature is good for: `available` in the declared range; `missing` until an import installs it; `failed`:
 * denied, failed, damaged, or core's copy is outside the range.
 */
export type ListState = 'available' | 'missing' | 'failed';

/** States in the order of the summary. */
export const STATES: readonly ListState[] = ['available', 'missing', 'failed'];

type ListedPackage = FeatureStatus['packages'][string] & { locked?: string };

/** A feature, as `--json` prints it. */
export interface ListedFeature extends FeatureStatus, Measured {
  packages: Record<string, ListedPackage>;
  state: ListState;
  /** No file of the entry is hashed: it is in a layer as trusted as core. */
  isUnhashed?: true;
  /** When and with what it was locked. */
  lock?: Made;
}

/** Adds what `annex list` prints to the status of a feature. */
export function toListed({ lookup, status, damaged, isUnhashed }: ExaminedFeature): ListedFeature {
  const locked = listLocked(lookup);
  const packages = Object.entries(status.packages).map(([name, each]) => {
    const version = ownOf(locked, name);
    return [name, { ...each, ...(version !== undefined && { locked: version }) }] as const;
  });
  const lock = lookup.readLock().pin?.sidecar.made;
  const isMissing = status.where === 'missing' && damaged.length === 0;
  return {
    ...status,
    state: isUsable(status) ? 'available' : isMissing ? 'missing' : 'failed',
    packages: Object.fromEntries(packages),
    ...(status.dir !== undefined && measureEntry(status.dir)),
    ...(isUnhashed && { isUnhashed }),
    ...(lock && { lock }),
  };
}
