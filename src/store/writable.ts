/** Whether something can be installed into a store, as far as that is known without writing to it. */
import { accessSync, constants } from 'node:fs';
import { AnnexError, toRefusal } from '../base/error.ts';
import { refuseByFileError, refuseRename, refuseUnread } from '../base/file-error.ts';
import { toRealPath } from '../base/paths.ts';
import { LOCKS, STAGING, VERSION } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { findNearest, findStoreDistrust, refuseDistrusted } from './access.ts';
import { withDir } from './directory.ts';
import { findObjectStore, findVolume } from './volume.ts';

/** Errors of the file system for a directory that cannot be written. */
const WRITE_ERRORS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);

/** Why nothing can be installed into a store; undefined when an install may try. */
export function findStoreRefusal(store: string): Refusal | undefined {
  try {
    const distrust = findStoreDistrust(store);
    if (distrust !== undefined) return refuseDistrusted(distrust, store);
  } catch (error) {
    return refuseUnread(error, store);
  }
  const volume = findVolume(toRealPath(store));
  const program = volume && findObjectStore(volume);
  if (program !== undefined) {
    return refuseRename(store, `(${program}) renames a directory by copying it, or not at all`);
  }
  for (const name of [STAGING, LOCKS]) {
    try {
      requireWritable(store, [VERSION, name]);
    } catch (error) {
      // Node's permission model has another code, and does not restrict the installer.
      if (error instanceof AnnexError || WRITE_ERRORS.has(codeOf(error) ?? '')) {
        return toRefusal(error, () => refuseByFileError(error, store));
      }
    }
  }
  return undefined;
}

/** Checks a directory of a store, or the nearest existing one above it. */
function requireWritable(store: string, names: string[]): void {
  try {
    withDir(store, names, (dir) => accessSync(dir.at(), constants.W_OK | constants.X_OK));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (names.length > 0) requireWritable(store, names.slice(0, -1));
    else accessSync(findNearest(store), constants.W_OK | constants.X_OK);
  }
}
