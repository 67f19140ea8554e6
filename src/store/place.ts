/** Decides whether an entry may be used, by its location and its owners. */
import { lstatSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { toRealPath } from '../app/core.ts';
import { isWithin, versionRoot } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { findStoreDistrust, refuseDistrusted } from './access.ts';

/** Errors that say what an entry is: absent, a loop of links, or another user's. */
export const ABOUT_ENTRY = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM']);

/** The store and its layers, in the order in which they are searched. */
export const listStores = ({ store, layers }: Settings): string[] =>
  store === undefined ? layers : [store, ...layers];

/**
 * Looks at the place of an entry, and at nothing in it: whether it is a directory of its store that is
 * reached without a link below the store, and whose it is.
 *
 * @param root the store, as configured
 * @param path of the entry, below the store as configured or below its real path
 * @returns the real path of the entry, or why this process must not use it
 * @throws errors of the file system that say nothing about the entry
 */
export function judgePlace(root: string, path: string): { dir: string } | { refusal: Refusal } {
  const real = toRealPath(root);
  const dir = isWithin(path, real) ? path : join(real, relative(root, path));
  try {
    if (realpathSync.native(dir) !== dir) return { refusal: refuseJunk(path, 'reached by a link') };
    if (!lstatSync(dir).isDirectory()) return { refusal: refuseJunk(path, 'no directory') };
  } catch (error) {
    if (!ABOUT_ENTRY.has(codeOf(error) ?? '')) throw error;
    return {
      refusal: refuseJunk(path, `unreachable (${codeOf(error) ?? 'unknown'})`),
    };
  }
  const distrust = findStoreDistrust(root, dir);
  return distrust === undefined ? { dir } : { refusal: refuseDistrusted(distrust) };
}

/**
 * The same for an entry of which only the path is known.
 *
 * @param dir its real path, as far as the store's real path tells
 * @returns undefined when this process may use it
 */
export function findMisplaced(settings: Settings, dir: string): Refusal | undefined {
  const root = listStores(settings).find((store) => isWithin(dir, versionRoot(toRealPath(store))));
  if (root === undefined) return refuseJunk(dir, 'in no store');
  const place = judgePlace(root, dir);
  return 'refusal' in place ? place.refusal : undefined;
}

const refuseJunk = (path: string, what: string): Refusal => ({
  code: 'ANNEX_STORE_UNUSABLE',
  reason: `${path} is ${what}`,
  hint: 'move it out of the store',
});
