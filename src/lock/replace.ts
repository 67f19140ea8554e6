/** Replaces files of the application, all of them or none, and removes temporary files of killed runs. */
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  copyFileSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LOCK_FILES, lockRoot } from '../app/pin.ts';
import { AnnexError } from '../base/error.ts';
import { refuseByFileError } from '../base/file-error.ts';
import { listDirectory } from '../base/files.ts';
import { codeOf } from '../base/thrown.ts';
import { ignoreErrors } from '../store/directory.ts';
import { checkOwner, nameOwner, parseOwned } from '../store/owner.ts';
import type { Refusal } from '../types.ts';

/** The new content of a file. */
export interface Replacement {
  path: string;
  text: string;
}

/**
 * Replaces files, or creates them with their directories. A file that exists keeps its mode and, when
 * root writes, its owner. All content is written before the first rename; if a rename
 * fails, the files that were renamed before it get their old content back.
 *
 * @param files in the order of the renames
 * @throws AnnexError that names the file that cannot be written
 */
export function replaceFiles(files: Replacement[]): void {
  const temporaries: string[] = [];
  const made: [dir: string, end: string][] = [];
  const undo: (() => void)[] = [];
  let current = '';
  try {
    const staged = files.map((file) => {
      current = file.path;
      const dir = dirname(file.path);
      const first = mkdirSync(dir, { recursive: true });
      if (first !== undefined) made.push([dir, dirname(first)]);
      return stage(file, temporaries);
    });
    for (const { path, next, before } of staged) {
      current = path;
      renameSync(next, path);
      undo.push(() => (before === undefined ? rmSync(path) : renameSync(before, path)));
    }
  } catch (error) {
    const lost = undo.reverse().filter((step) => !ignoreErrors(step));
    throw new AnnexError(refuseReplacement(error, current, lost.length > 0));
  } finally {
    for (const path of temporaries) ignoreErrors(() => rmSync(path, { force: true }));
    for (const [dir, end] of made) ignoreErrors(() => removeEmpty(dir, end));
  }
}

function refuseReplacement(error: unknown, path: string, isLost: boolean): Refusal {
  const refusal = refuseByFileError(error, path);
  const state = isLost ? ', and the files before it cannot be restored' : '';
  const isFull = refusal.code === 'ANNEX_NO_SPACE';
  return {
    code: refusal.code,
    reason: `${path} cannot be written (${codeOf(error)})${state}`,
    hint: isFull ? refusal.hint : 'make that path writable for the user of this process',
  };
}

/** Writes the new content beside the file, and a copy of the old one. */
function stage({ path, text }: Replacement, temporaries: string[]) {
  const nameTemporary = (): string => {
    const temporary = join(dirname(path), `.${basename(path)}.${nameOwner()}`);
    temporaries.push(temporary);
    return temporary;
  };
  const next = nameTemporary();
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    writeFileSync(next, text);
    return { path, next };
  }
  accessSync(path, constants.W_OK);
  const before = nameTemporary();
  copyFileSync(path, before);
  writeFileSync(next, text);
  for (const temporary of [before, next]) {
    chmodSync(temporary, stat.mode);
    if (process.geteuid?.() === 0) chownSync(temporary, stat.uid, stat.gid);
  }
  return { path, next, before };
}

/**
 * Removes a directory and its parents while they are empty.
 *
 * @param end a parent that stays
 */
export function removeEmpty(dir: string, end: string): void {
  for (let empty = dir; empty !== end && empty !== dirname(empty); empty = dirname(empty)) {
    try {
      rmdirSync(empty);
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) return;
      throw error;
    }
  }
}

const HIDDEN: ReadonlySet<string> = new Set(LOCK_FILES.map((name) => `.${name}`));

/**
 * Lists the temporary files of `replaceFiles` whose process was killed.
 *
 * @param root the core
 */
export function listTemporaries(root: string): string[] {
  const locks = lockRoot(root);
  const dirs = [root, ...listNamesIn(locks).map((name) => join(locks, name))];
  return dirs.flatMap((dir) =>
    listNamesIn(dir)
      .filter((name) => {
        const { base = '', owner = '' } = parseOwned(name) ?? {};
        return HIDDEN.has(base) && checkOwner(owner) !== 'alive';
      })
      .map((name) => join(dir, name)),
  );
}

/** Removes those files, and directories that held nothing else. What cannot be removed stays for the next run. */
export function sweepTemporaries(root: string): void {
  for (const path of listTemporaries(root)) {
    ignoreErrors(() => rmSync(path, { force: true }));
    ignoreErrors(() => removeEmpty(dirname(path), root));
  }
}

/** Names in a directory; none in a link or a file. */
function listNamesIn(dir: string): string[] {
  try {
    return lstatSync(dir).isDirectory() ? listDirectory(dir).map(({ name }) => name) : [];
  } catch {
    return [];
  }
}
