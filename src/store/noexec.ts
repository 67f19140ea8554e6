/** Whether the addons of an entry can be loaded from the mount that it is on. */
import { accessSync, constants, lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readText } from '../base/files.ts';
import { remember } from '../base/remember.ts';
import { FILES, PLAIN } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { MAX_LISTING } from './contents.ts';
import { listNatives, parseFiles } from './listing.ts';
import { findVolume } from './volume.ts';

/** What a reason says of such an entry. */
export const NOEXEC = 'its volume is mounted noexec, so its addons do not load';

/** Whether a published entry has an addon that its mount does not let Node load. A mount is asked once for each entry. */
export const isNoexec = (entry: string): boolean =>
  basename(dirname(entry)) !== PLAIN && askOnce(entry);

const askOnce = remember((entry) => hasUnloadable(entry));

/**
 * Asks the kernel about an addon of an entry, which has a listing.
 *
 * @param dir of an entry, or of one that is built
 */
export function hasUnloadable(dir: string): boolean {
  const addon = findAddon(dir);
  return addon !== undefined && !canExecute(join(dir, addon));
}

/** An entry without a listing is damaged, which the verification finds. */
function findAddon(dir: string): string | undefined {
  try {
    const files = parseFiles(readText(join(dir, FILES), MAX_LISTING));
    return files && listNatives(files).find(([path]) => path.endsWith('.node'))?.[0];
  } catch {
    return undefined;
  }
}

/**
 * On a noexec mount access(2) denies execution even where the mode allows it. Where the mode does not, the mount of the
 * file decides.
 *
 * @see https://man7.org/linux/man-pages/man2/access.2.html EACCES
 */
function canExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EACCES') return true;
  }
  try {
    const isAllowed = (lstatSync(path).mode & 0o111) === 0o111;
    return isAllowed ? false : findVolume(path)?.options.has('noexec') !== true;
  } catch {
    return true;
  }
}

/** The refusal of a store that is mounted noexec. */
export const refuseNoexec = (reason: string): Refusal => ({
  code: 'ANNEX_STORE_UNUSABLE',
  reason,
  hint: 'mount the volume of the store without noexec',
});
