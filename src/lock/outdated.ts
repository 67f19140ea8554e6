/** Compares the locked versions of declared packages with the newest ones. */
import type { Lookup } from '../app/lookup.ts';
import type { Pin } from '../app/pin.ts';
import { compareVersions, satisfiesWithPrereleases } from '../base/semver.ts';
import { ownOf } from '../base/shape.ts';
import { findCutoff } from '../install/resolve.ts';
import type { LockedPackages } from '../plan/project.ts';
import { findNewest, type Newest } from '../registry/newest.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { findBlocked } from '../settings/blocked.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import { withTemporary } from '../store/temporary.ts';
import { listPreferred } from './drift.ts';

/** A declared package of a locked feature, and its newest versions. */
export interface ComparedVersions extends Newest {
  name: string;
  range: string;
  locked: string;
  /** Whether `wanted` is later than the locked version. */
  isOutdated: boolean;
  /** Whether `wanted` is blocked, so that it cannot be locked. */
  isBlocked: boolean;
  /** The version of a copy that the application is developed with, which a lock prefers. */
  preferred: string | null;
}

/**
 * Compares the packages that a feature declares, without those that the application ships.
 *
 * @param minAge minimum age of a version in days; undefined for npm's setting, or else one
 * @throws AnnexError when the lock is damaged or a registry does not answer; errors of the file system,
 *   and the signal's reason
 */
export async function compareVersionsOf(
  { lookup, signal, minAge }: { lookup: Lookup; signal: AbortSignal; minAge: number | undefined },
  pin: Pin,
): Promise<ComparedVersions[]> {
  const { settings, feature } = lookup;
  const { root } = settings.core;
  const env = readInstallerEnv(settings);
  const before = findCutoff(readNpmSettings(root, env), minAge);
  const lock = JSON.parse(pin.readPackageLock()) as { packages: LockedPackages };
  const ranges = Object.fromEntries(
    Object.entries(feature.packages).filter(([name]) => !Object.hasOwn(pin.sidecar.shared, name)),
  );
  if (Object.keys(ranges).length === 0) return [];
  const newest = await withTemporary((cwd) =>
    findNewest(ranges, { cwd, core: root, env, signal, before }),
  );
  const blocked = lookup.listBlocked();
  const preferred = listPreferred(lookup);
  return Object.entries(ranges).map(([name, range]) => {
    const { version: locked = '' } = (lock.packages[`node_modules/${name}`] ?? {}) as {
      version?: string;
    };
    const { wanted = null, latest = null } = ownOf(newest, name) ?? {};
    const found = wanted === null ? [] : [{ name, version: wanted }];
    return {
      name,
      range,
      locked,
      wanted,
      latest,
      isOutdated: wanted !== null && compareVersions(wanted, locked) > 0,
      isBlocked: findBlocked(found, blocked, satisfiesWithPrereleases) !== undefined,
      preferred: ownOf(preferred, name) ?? null,
    };
  });
}
