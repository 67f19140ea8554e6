/** Tells whether Node could load something below a directory that cannot be listed. */
import { lstatSync } from 'node:fs';
import { codeOf } from '../base/thrown.ts';

const NOWHERE = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ESTALE']);
const FORBIDDEN = new Set(['EACCES', 'EPERM', 'ERR_ACCESS_DENIED']);

/**
 * Whether an error says that a path leads to nothing: it was removed meanwhile, or no program can spell
 * it, as with a name that is not UTF-8.
 */
export const leadsNowhere = (error: unknown): boolean => NOWHERE.has(codeOf(error) ?? '');

/**
 * Whether something below a directory can be loaded by its path. The right to enter a directory is
 * enough for that, without the right to list it.
 *
 * @param error of listing it
 */
export function canReach(directory: string, error: unknown): boolean {
  if (leadsNowhere(error)) return false;
  if (!isForbidden(error)) return true;
  try {
    // Looking up the directory in itself takes the right to enter it.
    lstatSync(`${directory}/.`);
    return true;
  } catch (refused) {
    return !isForbidden(refused) && !leadsNowhere(refused);
  }
}

const isForbidden = (error: unknown): boolean => FORBIDDEN.has(codeOf(error) ?? '');
