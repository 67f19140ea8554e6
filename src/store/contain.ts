/** Whether a file really is inside a directory, whatever links lead to it. */
import { realpathSync } from 'node:fs';
import { isWithin } from '../base/store-layout.ts';

/**
 * @param file as it was resolved; undefined (no file at all) is contained in nothing
 * @param dir real path of a directory
 */
export function isContained(file: string | undefined, dir: string): boolean {
  if (file === undefined) return false;
  try {
    return isWithin(realpathSync.native(file), dir);
  } catch {
    return false;
  }
}
