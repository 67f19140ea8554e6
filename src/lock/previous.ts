/** Reads what the previous lock of a feature holds; a lock that cannot be read holds nothing. */
import { join } from 'node:path';
import { MAX_LOCK, type Sidecar } from '../app/pin.ts';
import { digest } from '../base/digest.ts';
import { readJson, readText } from '../base/files.ts';
import { satisfiesWithPrereleases } from '../base/semver.ts';
import { isObject, isShared } from '../base/shape.ts';
import { isTransient } from '../base/thrown.ts';
import { readGraph } from '../plan/graph.ts';
import type { LockedPackages } from '../plan/project.ts';
import { refuseInstall } from '../registry/failure.ts';
import { findBlocked } from '../settings/blocked.ts';
import type { Blocked } from '../types.ts';
import type { LockSide } from './diff.ts';

/** Places of tarballs, by the path of the package. */
export type Places = Record<string, { place: string }>;

/** @param dir the directory of the lock */
export const readPlaces = (dir: string): Places =>
  readOrElse({}, () => {
    const { packages } = readJson(join(dir, 'annex.json'), MAX_LOCK, 'follow') as {
      packages: Record<string, { place?: unknown }>;
    };
    const places: Places = {};
    for (const [path, { place }] of Object.entries(packages)) {
      if (typeof place === 'string') places[path] = { place };
    }
    return places;
  });

/**
 * The locked packages without those that are blocked now.
 *
 * @param dir the directory of the lock
 */
export const readPackages = (dir: string, blocked: Blocked[]): LockedPackages =>
  readOrElse({}, () => {
    const path = join(dir, 'package-lock.json');
    const lock = readJson(path, MAX_LOCK, 'follow') as { packages: LockedPackages };
    const allowed = [...readGraph(lock, refuseInstall).values()].filter(
      (node) => findBlocked([node], blocked, satisfiesWithPrereleases) === undefined,
    );
    return Object.fromEntries(allowed.map((node) => [node.path, lock.packages[node.path] ?? {}]));
  });

/** A lock, and whether another program changed its package-lock after annex wrote it. */
export interface PreviousLock extends LockSide, Pick<Sidecar, 'specs'> {
  isEdited: boolean;
}

/** @param dir the directory of the lock */
export const readPrevious = (dir: string): PreviousLock | undefined =>
  readOrElse(undefined, () => {
    const sidecar = readJson(join(dir, 'annex.json'), MAX_LOCK, 'follow') as Sidecar;
    const { shared, specs, digests } = sidecar;
    const text = readText(join(dir, 'package-lock.json'), MAX_LOCK, 'follow');
    const lock = JSON.parse(text) as { packages: LockedPackages };
    readGraph(lock, refuseInstall);
    if (!isShared(shared) || !isObject(specs)) return undefined;
    const isEdited = digest(text) !== digests['package-lock.json'];
    return { shared, specs, packages: lock.packages, places: readPlaces(dir), isEdited };
  });

/**
 * Reads a part of a lock.
 *
 * @param fallback what a lock that cannot be read holds
 * @throws errors that say nothing about the lock, such as EMFILE
 */
export function readOrElse<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isTransient(error)) throw error;
    return fallback;
  }
}
