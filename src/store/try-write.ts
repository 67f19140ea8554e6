/** Finds out whether a store can be written, by writing a file and moving directories in it, and removing all. */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { AnnexError, toRefusal } from '../base/error.ts';
import { refuseByFileError, refuseRename } from '../base/file-error.ts';
import { STAGING, VERSION } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { type DirHandle, ignoreErrors, openIn, useDir, withDir } from './directory.ts';
import { nameOwner } from './owner.ts';
import { tryRemoveIn } from './tree.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

const FILE = 'file';

/** More than a file system keeps in the directory itself. */
const BYTES = 2 ** 16;

/** Start of the names that `annex doctor` uses. */
const DOCTOR = 'annex-doctor';

/**
 * Writes a file where an install would begin, moves directories, and removes all. If this process is killed in
 * between, an install removes them as it does what other processes left.
 *
 * @param store an existing directory
 * @returns why it cannot be written; undefined when it can
 */
export function tryWrite(
  store: string,
  names: readonly string[] = [VERSION, STAGING],
): Refusal | undefined {
  try {
    withDir(store, [...names], (dir) => {
      const name = `${DOCTOR}.${nameOwner()}`;
      const file = openSync(dir.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        writeFileSync(file, Buffer.alloc(BYTES));
      } finally {
        closeSync(file);
        ignoreErrors(() => unlinkSync(dir.at(name)));
      }
      tryMove(store, dir, DOCTOR);
    });
    return undefined;
  } catch (error) {
    // The store is new, or baked.
    if (codeOf(error) === 'ENOENT' && names.length > 0) return tryWrite(store, names.slice(0, -1));
    return toRefusal(error, () => refuseByFileError(error, store));
  }
}

/**
 * Moves directories as an install does: one takes the place of another only if that is empty, and takes its contents
 * along. A lock depends on the first, and publishing on the second.
 *
 * @param dir of the store
 * @param base start of the names: an install of the feature removes what a killed process left
 * @throws an AnnexError, and errors of the file system
 */
export function tryMove(store: string, dir: DirHandle, base: string): void {
  const newName = (): string => `${base}.${nameOwner()}`;
  const [empty, full, moved] = [newName(), newName(), newName()];
  try {
    for (const each of [empty, full]) mkdirSync(dir.at(each), { mode: 0o700 });
    useDir(openIn(dir, full), (each) => writeFileSync(each.at(FILE), '', { flag: 'wx' }));
    if (ignoreErrors(() => renameSync(dir.at(empty), dir.at(full)))) {
      throw new AnnexError(refuseRename(store, 'replaces a directory that is not empty'));
    }
    renameSync(dir.at(full), dir.at(moved));
  } finally {
    for (const each of [empty, full, moved]) tryRemoveIn(dir, each);
  }
}
