/** Finds out whether a store can be written, by writing a file and moving a directory in it, and removing both. */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { toRefusal } from '../base/error.ts';
import { refuseByFileError } from '../base/file-error.ts';
import { STAGING, VERSION } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { ignoreErrors, withDir } from './directory.ts';
import { nameOwner } from './owner.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** More than a file system keeps in the directory itself. */
const BYTES = 2 ** 16;

/**
 * Writes a file where an install would begin, renames a directory, and removes both. If this process is killed in
 * between, an install removes them as it does what other processes left.
 *
 * @param store an existing directory
 * @returns why it cannot be written; undefined when it can
 */
export function tryWrite(
  store: string,
  names: readonly string[] = [VERSION, STAGING],
): Refusal | undefined {
  const [name = '', made = '', moved = ''] = Array.from(
    { length: 3 },
    () => `annex-doctor.${nameOwner()}`,
  );
  try {
    withDir(store, [...names], (dir) => {
      const file = openSync(dir.at(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
      try {
        writeFileSync(file, Buffer.alloc(BYTES));
      } finally {
        closeSync(file);
        ignoreErrors(() => unlinkSync(dir.at(name)));
      }
      mkdirSync(dir.at(made), { mode: 0o700 });
      try {
        renameSync(dir.at(made), dir.at(moved));
      } finally {
        for (const each of [made, moved]) ignoreErrors(() => rmdirSync(dir.at(each)));
      }
    });
    return undefined;
  } catch (error) {
    // The store is new, or baked.
    if (codeOf(error) === 'ENOENT' && names.length > 0) return tryWrite(store, names.slice(0, -1));
    return toRefusal(error, () => refuseByFileError(error, store));
  }
}
