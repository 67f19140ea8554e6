/** Compares a lock with the packages that the application has for development only. */
import { listUnshipped } from '../app/inventory.ts';
import { readLocked } from '../app/locked-versions.ts';
import type { Lookup } from '../app/lookup.ts';
import { satisfies, satisfiesWithPrereleases } from '../base/semver.ts';
import { findBlocked } from '../settings/blocked.ts';

/** A declared package that the application has for development in another version than the lock. */
export interface Drift {
  name: string;
  version: string;
  locked: string;
  /** Whether the lock can follow: the version is in the declared range, and not blocked. */
  isFit: boolean;
}

/** Lists drifts: types and tests of the application use those versions, and production does not. */
export function listDrifts(lookup: Lookup): Drift[] {
  const { settings, feature } = lookup;
  const { pin } = lookup.readLock();
  if (feature.refusal !== undefined || pin === undefined) return [];
  const packages = readLocked(pin);
  const preferred = listPreferred(lookup);
  return listUnshipped(settings.core, feature).flatMap(({ name, version }) => {
    const locked = packages[`node_modules/${name}`]?.version;
    if (locked === undefined || locked === version) return [];
    return { name, version, locked, isFit: Object.hasOwn(preferred, name) };
  });
}

/** The versions of declared packages that a new lock prefers: name to version. */
export function listPreferred(lookup: Lookup): Record<string, string> {
  const { settings, feature } = lookup;
  const blocked = lookup.listBlocked();
  const preferred = listUnshipped(settings.core, feature).filter(
    (one) =>
      satisfies(one.version, feature.packages[one.name] ?? '') &&
      findBlocked([one], blocked, satisfiesWithPrereleases) === undefined,
  );
  return Object.fromEntries(preferred.map(({ name, version }) => [name, version]));
}
