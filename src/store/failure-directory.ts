/** The directory of a store that holds remembered failures and the output of install scripts. */
import { renameSync, writeFileSync } from 'node:fs';
import { FAILURES, VERSION } from '../base/store-layout.ts';
import { type DirHandle, makeIn, withDir } from './directory.ts';
import { removeIn, tryRemoveIn } from './tree.ts';

/**
 * Calls a function with the directory.
 *
 * @throws errors of the file system: ENOENT when nothing is remembered
 */
export const inFailures = <T>(store: string, use: (dir: DirHandle) => T): T =>
  withDir(store, [VERSION, FAILURES], use);

/** Makes the directory when it is missing, and changes it; returns false when that fails. */
export function changeFailures(store: string, use: (dir: DirHandle) => void): boolean {
  attempt(() => withDir(store, [VERSION], (dir) => makeIn(dir, FAILURES)));
  return attempt(() => inFailures(store, use));
}

/** Writes a file whole, or leaves the file that is there. */
export function replaceIn(dir: DirHandle, name: string, text: string): void {
  const temporary = `${name}.new`;
  removeIn(dir, temporary);
  try {
    writeFileSync(dir.at(temporary), text, { flag: 'wx' });
    renameSync(dir.at(temporary), dir.at(name));
  } catch (error) {
    tryRemoveIn(dir, temporary);
    throw error;
  }
}

/** Returns whether an action succeeds. A store that cannot be written keeps its files; failures expire. */
export function attempt(action: () => void): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
