/** The directory that is a lock: how it is taken, read, kept alive, released and swept. */
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { AnnexError } from '../base/error.ts';
import { codeOf } from '../base/thrown.ts';
import { type DirHandle, ignoreErrors, makeIn, openIn, sampleNames, useDir } from './directory.ts';
import { checkOwner, isAbandoned, parseOwned } from './owner.ts';
import { removeIn } from './tree.ts';

/** Names read in one sweep: any user who can write the store can create any number of them. */
const MAX_SWEPT = 1_000;

const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;

/** Takes a lock that is free or empty: an empty one is being released, or its dead owner was removed. */
export function take(dir: DirHandle, name: string, owner: string): boolean {
  const made = waiterName(name, owner);
  makeIn(dir, made);
  try {
    // Users who may take locks here must be able to remove the lock of a dead holder.
    const mode = statSync(dir.at()).mode & 0o7777;
    useDir(openIn(dir, made), (lock) => {
      chmodSync(lock.at(), mode);
      closeSync(openSync(lock.at(owner), O_WRONLY | O_CREAT | O_NOFOLLOW));
    });
    renameSync(dir.at(made), dir.at(name));
    return true;
  } catch (error) {
    // ENOENT, and ESTALE on NFS: the present holder has swept the directory. ENOTDIR: a file has the name of the lock.
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ESTALE', 'ENOTDIR'].includes(codeOf(error) ?? ''))
      return false;
    throw error;
  }
}

/** Name of the directory by which a process shows that it waits, and which becomes its lock. */
export const waiterName = (name: string, owner: string): string => `${name}.${owner}`;

/** Whether a process other than the holder waits for a lock. One that cannot be checked counts as waiting. */
export function isAwaited(dir: DirHandle, name: string, holder: string): boolean {
  try {
    return readdirSync(dir.at()).some((other) => {
      const { base, owner = holder } = parseOwned(other) ?? {};
      return base === name && owner !== holder && checkOwner(owner) !== 'dead';
    });
  } catch {
    return false;
  }
}

/** Returns the holder of a lock and a text that changes with each heartbeat. Removes a link or a file. */
export function readHolder(dir: DirHandle, name: string): { holder?: string; state: string } {
  try {
    return useDir(openIn(dir, name), (lock) => {
      const [holder] = readdirSync(lock.at());
      if (holder === undefined) return { state: 'empty' };
      return { holder, state: `${holder} ${lstatSync(lock.at(holder)).mtimeMs}` };
    });
  } catch (error) {
    if (error instanceof AnnexError) ignoreGone(() => unlinkSync(dir.at(name)));
    return { state: 'gone' };
  }
}

/**
 * Frees a lock if this owner still holds it.
 *
 * @throws errors of the file system
 */
export function release(dir: DirHandle, name: string, owner: string): void {
  ignoreGone(() => useDir(openIn(dir, name), (lock) => unlinkSync(lock.at(owner))));
  ignoreGone(() => rmdirSync(dir.at(name)));
}

/**
 * Shows that the holder lives: the times of its file are a count, in steps of two seconds, which is the coarsest
 * resolution of a file system. No clock is read. A holder that cannot set them counts as dead.
 */
export function heartbeat(dir: DirHandle, name: string, owner: string, count: number): void {
  ignoreErrors(() =>
    useDir(openIn(dir, name), (lock) => lutimesSync(lock.at(owner), 2 * count, 2 * count)),
  );
}

/**
 * Removes the locks of dead processes and the directories of dead waiters, as far as this user may. A directory is
 * renamed before it is emptied: this process can be suspended in between, and the waiter can be alive on another
 * host. Then its directory has become its lock, or it makes a new one.
 */
export function sweep(dir: DirHandle, name: string, holder: string): void {
  for (const other of sampleNames(dir, MAX_SWEPT)) {
    ignoreErrors(() => {
      const { base, owner } = parseOwned(other) ?? {};
      if (owner !== undefined) {
        if (!isAbandoned(owner, base === name)) return;
        const target = waiterName(name, holder);
        renameSync(dir.at(other), dir.at(target));
        // Most are empty: one system call instead of seven.
        if (!ignoreErrors(() => rmdirSync(dir.at(target)))) removeIn(dir, target);
      } else if (other !== name) {
        const held = readHolder(dir, other).holder;
        if (held === undefined) rmdirSync(dir.at(other));
        else if (checkOwner(held) === 'dead') release(dir, other, held);
      }
    });
  }
}

/** Another process may have removed the same, or taken the lock meanwhile. */
function ignoreGone(action: () => void): void {
  try {
    action();
  } catch (error) {
    const isGone = ['ENOENT', 'ESTALE', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EISDIR'].includes(
      codeOf(error) ?? '',
    );
    if (!isGone && !(error instanceof AnnexError)) throw error;
  }
}
