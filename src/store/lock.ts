/** One holder at a time, on any file system: a directory that only a whole one can replace. */

import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors.ts';
import { describeOwner, isDebris, judgeOwner, nameOwner, splitOwned } from './owner.ts';

/** Times, ms. */
export interface LockTimes {
  /** How often the holder shows that it lives. */
  beat: number;
  /** How long a heartbeat may stand still, by the waiter's own clock, before the holder is dead. */
  stale: number;
  /** How often a waiter looks. */
  poll: number;
  /** How long a waiter waits before it says so. */
  quiet: number;
}

/** What the holder of a lock can ask. */
export interface Held {
  /** Whether another has taken over by now. */
  isOverruled: () => boolean;
  /** Whether another waits for the lock. */
  isAwaited: () => boolean;
}

/** What a waiter wants to know and to say. */
export interface Wait {
  /** When true, the lock is not needed any more. */
  isDone: () => boolean;
  /** Ends the wait; its reason is thrown. */
  signal: AbortSignal;
  /** How long to wait at most, ms. */
  limit: number;
  /** Was taken for dead itself, and only slow: silence does not count before the limit. */
  isPatient: boolean;
  /** Called once, when the wait is worth a word. */
  onWait: (holder: string) => void;
  /** What to throw at the limit. */
  onLimit: (holder: string) => Error;
}

const TIMES: LockTimes = { beat: 500, stale: 10_000, poll: 50, quiet: 2_000 };

/**
 * Runs a function while holding a lock.
 *
 * The lock is a directory that holds one file, named after its owner. It is taken by renaming a
 * finished one into place, which fails while another stands there; a former owner's file is removed
 * by its name, so that of several waiters none can remove the lock of a living successor. Nothing
 * depends on clocks of different machines, or on a clock that can be set. Whoever waits has an empty
 * directory of its own beside the lock, which becomes its lock.
 *
 * A holder that can be seen to be dead is followed at once. One whose heartbeat stands still is
 * taken for dead, unless it can be seen to live: that one is overruled at the waiter's limit. At the
 * limit the waiter of any other holder goes.
 *
 * @returns what the function returned; undefined when `isDone` ended the wait
 * @throws what `onLimit` made, the reason of `signal`, and errors of the file system
 */
export async function withLock<T>(
  path: string,
  run: (held: Held) => Promise<T>,
  wait: Wait,
  times: LockTimes = TIMES,
): Promise<T | undefined> {
  const owner = await acquire(path, wait, times);
  if (owner === undefined) return undefined;
  const file = join(path, owner);
  let beats = 0;
  const timer = setInterval(() => beat(file, ++beats), times.beat);
  try {
    sweep(path);
    return await run({
      isOverruled: () => ![undefined, owner].includes(look(path).owner),
      isAwaited: () => isAwaited(path, owner),
    });
  } finally {
    clearInterval(timer);
    try {
      // Those that died while they waited have left their places.
      sweep(path);
      release(path, owner);
    } catch {
      // What was done is done. The lock is followed once this process has ended.
    }
  }
}

async function acquire(path: string, wait: Wait, times: LockTimes): Promise<string | undefined> {
  const owner = nameOwner();
  const place = placeOf(path, owner);
  const stale = wait.isPatient ? wait.limit : Math.min(times.stale, wait.limit);
  const start = performance.now();
  let last: string | undefined;
  let since = start;
  let isQuiet = true;
  let told: string | undefined;
  mkdirSync(dirname(path), { recursive: true });
  try {
    for (;;) {
      const seen = look(path);
      if (seen.owner === undefined && take(path, owner)) return owner;
      if (wait.isDone()) return undefined;
      wait.signal.throwIfAborted();
      // A holder sweeps when it begins.
      if (seen.owner !== told) tryTo(() => mkdirSync(place, { recursive: true }));
      told = seen.owner;
      const now = performance.now();
      if (last !== undefined && seen.state !== last) since = now;
      last = seen.state;
      const isOver = now - start >= wait.limit;
      const isStill = now - since >= stale;
      if (seen.owner !== undefined && isToFollow(seen.owner, isStill, isOver)) {
        release(path, seen.owner);
        continue;
      }
      if (isOver) throw wait.onLimit(describeOwner(seen.owner));
      if (isQuiet && now - start >= times.quiet) {
        isQuiet = false;
        wait.onWait(describeOwner(seen.owner));
      }
      await sleep(times.poll);
    }
  } finally {
    tryTo(() => rmSync(place, { recursive: true, force: true }));
  }
}

/** Whether a holder's time is over. */
function isToFollow(owner: string, isStill: boolean, isOver: boolean): boolean {
  const life = judgeOwner(owner);
  return life === 'dead' || (isStill && (life === 'unknown' || isOver));
}

/** Takes a free lock. An empty directory (being released, or its dead owner removed) is replaced. */
function take(path: string, owner: string): boolean {
  const made = placeOf(path, owner);
  mkdirSync(made, { recursive: true });
  try {
    // Who may take locks here may also end that of a dead holder.
    chmodSync(made, statSync(dirname(path)).mode & 0o7777);
    writeFileSync(join(made, owner), '');
    renameSync(made, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    // ENOENT: whoever holds the lock by now has swept what we made.
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

/** Where a waiter shows that it waits, and makes its lock. */
const placeOf = (path: string, owner: string): string => `${path}.${owner}`;

/** A holder that does not see a waiter may stop for want of one; a place that stays is swept. */
function tryTo(action: () => void): void {
  try {
    action();
  } catch {
    // Whoever may not write there may still get what the holder makes.
  }
}

function isAwaited(path: string, holder: string): boolean {
  try {
    return readdirSync(dirname(path)).some((name) => {
      const made = splitOwned(name);
      const isOther = made?.base === basename(path) && made.owner !== holder;
      return isOther && judgeOwner(made.owner) !== 'dead';
    });
  } catch {
    return false;
  }
}

function look(path: string): { owner?: string; state: string } {
  try {
    const [owner] = readdirSync(path);
    if (owner === undefined) return { state: 'empty' };
    return { owner, state: `${owner} ${statSync(join(path, owner)).mtimeMs}` };
  } catch {
    return { state: 'gone' };
  }
}

function release(path: string, owner: string): void {
  remove(() => unlinkSync(join(path, owner)));
  remove(() => rmdirSync(path));
}

/** Shows that the holder lives: a count in place of the time, so that no clock has a part in it. */
function beat(file: string, count: number): void {
  try {
    // Two seconds: the coarsest that a file system counts in.
    utimesSync(file, 2 * count, 2 * count);
  } catch {
    // A holder that cannot show it is taken for dead; the next one is as good.
  }
}

/**
 * Removes locks of the dead, and what they were making; what is not ours to remove is in nobody's
 * way.
 */
function sweep(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    const other = join(dirname(path), name);
    const made = splitOwned(name);
    try {
      if (made !== undefined) {
        if (isDebris(made.owner, made.base === basename(path))) rmSync(other, { recursive: true });
      } else if (other !== path) {
        const { owner } = look(other);
        if (owner === undefined) rmdirSync(other);
        else if (judgeOwner(owner) === 'dead') release(other, owner);
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
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
  }
}
