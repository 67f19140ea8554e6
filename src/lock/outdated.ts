/** Compares the locked versions of declared packages with the newest ones. */
import type { Lookup } from '../app/lookup.ts';
import type { Pin } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { compareVersions, satisfiesWithPrereleases } from '../base/semver.ts';
import { ownOf } from '../base/shape.ts';
import { findCutoff } from '../install/resolve.ts';
import type { LockedPackages } from '../plan/project.ts';
import { findNewest, type Newest } from '../registry/newest.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { findBlocked } from '../settings/blocked.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
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

/** A feature with a valid lock. */
export interface LockedFeature {
  lookup: Lookup;
  pin: Pin;
}

/**
 * Compares the packages that features declare, without those that the application ships. One npm command finds
 * the versions of all.
 *
 * @param minAge minimum age of a version in days; undefined for npm's setting, or else one
 * @returns for each feature its packages, or why they cannot be compared
 * @throws AnnexError when a registry does not answer; errors of the file system, and the signal's reason
 */
export async function compareFeatures(
  locked: readonly LockedFeature[],
  {
    settings,
    signal,
    minAge,
  }: { settings: Settings; signal: AbortSignal; minAge?: number | undefined },
): Promise<Map<Feature, ComparedVersions[] | AnnexError>> {
  const { root } = settings.core;
  const env = readInstallerEnv(settings);
  const ranges = Object.fromEntries(locked.flatMap(listRanges));
  const isNeeded = Object.keys(ranges).length > 0;
  const before = isNeeded ? findCutoff(readNpmSettings(root, env), minAge) : undefined;
  const newest = isNeeded
    ? await withTemporary((cwd) => findNewest(ranges, { cwd, core: root, env, signal, before }))
    : {};
  return new Map(locked.map((one) => [one.lookup.feature, compareOne(one, newest)]));
}

/** The declared packages that the feature does not share with core, with their ranges. */
const listRanges = ({ lookup, pin }: LockedFeature): [string, string][] =>
  Object.entries(lookup.feature.packages).filter(
    ([name]) => !Object.hasOwn(pin.sidecar.shared, name),
  );

function compareOne(
  one: LockedFeature,
  newest: Record<string, Newest | AnnexError>,
): ComparedVersions[] | AnnexError {
  const { lookup, pin } = one;
  try {
    const { packages } = JSON.parse(pin.readPackageLock()) as { packages: LockedPackages };
    const blocked = lookup.listBlocked();
    const preferred = listPreferred(lookup);
    return listRanges(one).map(([name, range]) => {
      const { version: locked = '' } = (packages[`node_modules/${name}`] ?? {}) as {
        version?: string;
      };
      const found = ownOf(newest, name);
      if (found instanceof AnnexError) throw found;
      const { wanted = null, latest = null } = found ?? {};
      const chosen = wanted === null ? [] : [{ name, version: wanted }];
      return {
        name,
        range,
        locked,
        wanted,
        latest,
        isOutdated: wanted !== null && compareVersions(wanted, locked) > 0,
        isBlocked: findBlocked(chosen, blocked, satisfiesWithPrereleases) !== undefined,
        preferred: ownOf(preferred, name) ?? null,
      };
    });
  } catch (error) {
    if (error instanceof AnnexError) return error;
    throw error;
  }
}
