/** One holder at a time, on any file system: a directory that only a whole one can replace. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Dir, makeIn, nameError, openDir } from './dir.ts';
import { beat, isAwaited, look, placeOf, release, sweep, take, tryTo } from './lock-directory.ts';
import { describeOwner, judgeOwner, nameOwner } from './owner.ts';
import { removeIn } from './tree.ts';

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
 * @param place the store, the names down to the directory of its locks, which is there, and that of
 *   the lock
 * @returns what the function returned; undefined when `isDone` ended the wait
 * @throws what `onLimit` made, the reason of `signal`, and errors of the file system
 */
export async function withLock<T>(
  place: { store: string; dirs: string[]; name: string },
  run: (held: Held) => Promise<T>,
  wait: Wait,
  times: LockTimes = TIMES,
): Promise<T | undefined> {
  const { name } = place;
  const dir = openDir(place.store, ...place.dirs);
  try {
    const owner = await acquire(dir, name, wait, times);
    return owner === undefined ? undefined : await hold({ dir, name, owner }, run, times);
  } catch (error) {
    throw nameError(error, dir);
  } finally {
    dir.close();
  }
}

async function hold<T>(
  { dir, name, owner }: { dir: Dir; name: string; owner: string },
  run: (held: Held) => Promise<T>,
  times: LockTimes,
): Promise<T> {
  let beats = 0;
  const timer = setInterval(() => beat(dir, name, owner, ++beats), times.beat);
  try {
    sweep(dir, name);
    return await run({
      isOverruled: () => ![undefined, owner].includes(look(dir, name).owner),
      isAwaited: () => isAwaited(dir, name, owner),
    });
  } finally {
    clearInterval(timer);
    try {
      // Those that died while they waited have left their places.
      sweep(dir, name);
      release(dir, name, owner);
    } catch {
      // What was done is done. The lock is followed once this process has ended.
    }
  }
}

async function acquire(
  dir: Dir,
  name: string,
  wait: Wait,
  times: LockTimes,
): Promise<string | undefined> {
  const owner = nameOwner();
  const place = placeOf(name, owner);
  const stale = wait.isPatient ? wait.limit : Math.min(times.stale, wait.limit);
  const start = performance.now();
  let last: string | undefined;
  let since = start;
  let isQuiet = true;
  let told: string | undefined;
  try {
    for (;;) {
      const seen = look(dir, name);
      if (seen.owner === undefined && take(dir, name, owner)) return owner;
      if (wait.isDone()) return undefined;
      wait.signal.throwIfAborted();
      // A holder sweeps when it begins.
      if (seen.owner !== told) tryTo(() => makeIn(dir, place));
      told = seen.owner;
      const now = performance.now();
      if (last !== undefined && seen.state !== last) since = now;
      last = seen.state;
      const isOver = now - start >= wait.limit;
      const isStill = now - since >= stale;
      if (seen.owner !== undefined && isToFollow(seen.owner, isStill, isOver)) {
        release(dir, name, seen.owner);
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
    tryTo(() => removeIn(dir, place));
  }
}

/** Whether a holder's time is over. */
function isToFollow(owner: string, isStill: boolean, isOver: boolean): boolean {
  const life = judgeOwner(owner);
  return life === 'dead' || (isStill && (life === 'unknown' || isOver));
}
