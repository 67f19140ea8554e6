/** The directory that a lock is: taken, looked at, kept alive, released and swept. */
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
import { type Dir, makeIn, openIn, withDir } from './dir.ts';
import { isDebris, judgeOwner, splitOwned } from './owner.ts';
import { pickNames, removeIn } from './tree.ts';

/** Names that are looked at in one sweep: whoever can write the store can make any number. */
const MOST = 1_000;

/** Takes a free lock. An empty directory (being released, or its dead owner removed) is replaced. */
export function take(dir: Dir, name: string, owner: string): boolean {
  const made = placeOf(name, owner);
  makeIn(dir, made);
  try {
    // Who may take locks here may also end that of a dead holder.
    const mode = statSync(dir.at()).mode & 0o7777;
    withDir(openIn(dir, made), (own) => {
      chmodSync(own.at(), mode);
      closeSync(openSync(own.at(owner), CREATE));
    });
    renameSync(dir.at(made), dir.at(name));
    return true;
  } catch (error) {
    const code = codeOf(error);
    // ENOENT: whoever holds the lock by now has swept what we made. ENOTDIR: there is junk.
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR'].includes(code ?? '')) return false;
    throw error;
  }
}

const { O_WRONLY, O_CREAT, O_NOFOLLOW } = constants;
const CREATE = O_WRONLY | O_CREAT | O_NOFOLLOW;

/** Where a waiter shows that it waits, and makes its lock. */
export const placeOf = (name: string, owner: string): string => `${name}.${owner}`;

/**
 * Makes or removes such a place, if that is possible. A holder that does not see a waiter may stop for want of
 * one; a place that stays is swept.
 */
export function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // Whoever may not write there may still get what the holder makes.
  }
}

/** Whether another than the holder waits for a lock, or may do so. */
export function isAwaited(dir: Dir, name: string, holder: string): boolean {
  try {
    return readdirSync(dir.at()).some((other) => {
      const made = splitOwned(other);
      const isOther = made?.base === name && made.owner !== holder;
      return isOther && judgeOwner(made.owner) !== 'dead';
    });
  } catch {
    return false;
  }
}

/** Who holds a lock, and a text that changes with each beat; what is no directory is removed. */
export function look(dir: Dir, name: string): { owner?: string; state: string } {
  try {
    return withDir(openIn(dir, name), (lock) => {
      const [owner] = readdirSync(lock.at());
      if (owner === undefined) return { state: 'empty' };
      return { owner, state: `${owner} ${lstatSync(lock.at(owner)).mtimeMs}` };
    });
  } catch (error) {
    // A link or a file is no lock, and nobody can hold it.
    if (error instanceof AnnexError) remove(() => unlinkSync(dir.at(name)));
    return { state: 'gone' };
  }
}

/**
 * Frees a lock if it is still this owner's.
 *
 * @throws errors of the file system
 */
export function release(dir: Dir, name: string, owner: string): void {
  remove(() => withDir(openIn(dir, name), (lock) => unlinkSync(lock.at(owner))));
  remove(() => rmdirSync(dir.at(name)));
}

/** Shows that the holder lives: a count in place of the time, so that no clock has a part in it. */
export function beat(dir: Dir, name: string, owner: string, count: number): void {
  try {
    // Two seconds is the coarsest resolution of a file system.
    withDir(openIn(dir, name), (lock) => lutimesSync(lock.at(owner), 2 * count, 2 * count));
  } catch {
    // A holder that cannot show it, or whose lock was removed, is taken for dead; the next one is as good.
  }
}

/**
 * Removes locks of the dead, and what they were making; what is not ours to remove is in nobody's
 * way.
 */
export function sweep(dir: Dir, name: string): void {
  for (const other of pickNames(dir, MOST)) {
    const made = splitOwned(other);
    try {
      if (made !== undefined) {
        if (isDebris(made.owner, made.base === name)) removeIn(dir, other);
      } else if (other !== name) {
        const { owner } = look(dir, other);
        if (owner === undefined) rmdirSync(dir.at(other));
        else if (judgeOwner(owner) === 'dead') release(dir, other, owner);
      }
    } catch {
      // It belongs to another user, or is being taken at this moment.
    }
  }
}

/** Whoever else was faster has done the same. */
function remove(action: () => void): void {
  try {
    action();
  } catch (error) {
    const isDone = ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '');
    if (!(isDone || error instanceof AnnexError)) throw error;
  }
}
