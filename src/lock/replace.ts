/** Replaces files of the application, all of them or none, and removes what an earlier run left unfinished. */
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
import { listDirectory } from '../base/files.ts';
import { codeOf } from '../base/thrown.ts';
import { checkOwner, nameOwner, parseOwned } from '../store/owner.ts';

/** The new content of a file. */
export interface Replacement {
  path: string;
  text: string;
}

/**
 * Replaces files, or creates them with the directories that they need. A file that exists keeps its
 * mode and, when root writes, its owner. Everything that needs space is written before the first
 * rename; when a rename fails, the files that were renamed before it get their old content back.
 *
 * @param files in the order in which they are renamed
 * @throws when one cannot be written: an error with the file in its message, and Node's own code
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
    const lost = undo.reverse().flatMap((step) => attempt(step) ?? []);
    const state = lost.length === 0 ? '' : `, nor can the files before it be restored: ${lost[0]}`;
    const message = `${current} cannot be written (${codeOf(error)})${state}`;
    throw Object.assign(new Error(message, { cause: error }), { code: codeOf(error) });
  } finally {
    for (const path of temporaries) attempt(() => rmSync(path, { force: true }));
    for (const [dir, end] of made) attempt(() => removeEmpty(dir, end));
  }
}

/** Writes the new content beside the file, and a copy of the old one. */
function stage({ path, text }: Replacement, temporaries: string[]) {
  const dir = dirname(path);
  const name = (): string => {
    const temporary = join(dir, `.${basename(path)}.${nameOwner()}`);
    temporaries.push(temporary);
    return temporary;
  };
  const next = name();
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    writeFileSync(next, text);
    return { path, next };
  }
  accessSync(path, constants.W_OK);
  const before = name();
  copyFileSync(path, before);
  writeFileSync(next, text);
  for (const temporary of [before, next]) {
    chmodSync(temporary, stat.mode);
    if (process.geteuid?.() === 0) chownSync(temporary, stat.uid, stat.gid);
  }
  return { path, next, before };
}

/** @returns why it failed; undefined when it did not */
function attempt(action: () => void): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return `${codeOf(error)}`;
  }
}

/**
 * Removes a directory and those above it, as far as they are empty.
 *
 * @param end a directory above, which stays
 */
export function removeEmpty(dir: string, end: string): void {
  for (let at = dir; at !== end && at !== dirname(at); at = dirname(at)) {
    try {
      rmdirSync(at);
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) return;
      throw error;
    }
  }
}

const HIDDEN: ReadonlySet<string> = new Set(LOCK_FILES.map((name) => `.${name}`));

/**
 * Temporary files that `replaceFiles` left in an application when its process was killed. Those of a
 * process that runs are not among them.
 *
 * @param root the core
 */
export function listTemporaries(root: string): string[] {
  const locks = lockRoot(root);
  const dirs = [root, ...listChildren(locks).map((name) => join(locks, name))];
  return dirs.flatMap((dir) =>
    listChildren(dir)
      .filter((name) => {
        const { base = '', owner = '' } = parseOwned(name) ?? {};
        return HIDDEN.has(base) && checkOwner(owner) !== 'alive';
      })
      .map((name) => join(dir, name)),
  );
}

/** Removes them, and the directories that held nothing else. What cannot be removed stays for the next run. */
export function sweepTemporaries(root: string): void {
  for (const path of listTemporaries(root)) {
    attempt(() => rmSync(path, { force: true }));
    attempt(() => removeEmpty(dirname(path), root));
  }
}

/** Names in a directory; none in a link or a file. */
function listChildren(dir: string): string[] {
  try {
    return lstatSync(dir).isDirectory() ? listDirectory(dir).map(({ name }) => name) : [];
  } catch {
    return [];
  }
}
