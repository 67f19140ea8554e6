/** Reads what the previous lock of a feature holds; a lock that cannot be read holds nothing. */
import { join } from 'node:path';
import { MOST_LOCK } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { readJson } from '../base/files.ts';
import { satisfiesWithPrereleases } from '../base/semver.ts';
import { isTransient } from '../base/thrown.ts';
import { type LockGraph, readGraph } from '../plan/graph.ts';
import type { LockedPackages } from '../plan/project.ts';
import { refuseInstall } from '../registry/failure.ts';
import { findBlocked } from '../settings/blocked.ts';
import type { Blocked } from '../types.ts';

/** Places of tarballs, by the path of the package. */
export type Places = Record<string, { place: string }>;

/** @param dir the directory of the lock */
export function readPlaces(dir: string): Places {
  const { packages = {} } = (tryToReadJson(join(dir, 'annex.json')) ?? {}) as { packages?: object };
  const places: Places = {};
  for (const [path, record] of Object.entries(packages)) {
    const { place } = (record ?? {}) as { place?: unknown };
    if (typeof place === 'string') places[path] = { place };
  }
  return places;
}

/**
 * The locked packages without those that are blocked now.
 *
 * @param dir the directory of the lock
 */
export function readPackages(dir: string, blocked: Blocked[]): LockedPackages {
  const lock = tryToReadJson(join(dir, 'package-lock.json'));
  const { packages } = (lock ?? {}) as { packages: LockedPackages };
  const allowed = [...tryToReadGraph(lock).values()].filter(
    (node) => findBlocked([node], blocked, satisfiesWithPrereleases) === undefined,
  );
  return Object.fromEntries(allowed.map(({ path }) => [path, packages[path] ?? {}]));
}

function tryToReadGraph(lock: unknown): LockGraph {
  try {
    return readGraph(lock, refuseInstall);
  } catch (error) {
    if (error instanceof AnnexError) return new Map();
    throw error;
  }
}

function tryToReadJson(path: string): unknown {
  try {
    return readJson(path, MOST_LOCK, 'follow');
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}
