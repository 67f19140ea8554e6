/** A lock between processes, on any file system: a directory that can be replaced only while it is empty. */
import { setTimeout } from 'node:timers/promises';
import { type DirHandle, ignoreErrors, makeIn, nameError, openDir } from './directory.ts';
import {
  heartbeat,
  isAwaited,
  readHolder,
  release,
  sweep,
  take,
  waiterName,
} from './lock-directory.ts';
import { checkOwner, describeOwner, nameOwner } from './owner.ts';
import { removeIn } from './tree.ts';

/** Durations, ms. */
export interface LockTimes {
  /** Between two heartbeats of a holder. */
  heartbeat: number;
  /** How long a heartbeat may be missing before the holder counts as dead. */
  stale: number;
  /** Between two checks by a waiter. */
  poll: number;
  /** How long a wait goes unreported. */
  quiet: number;
}

/** A monotonic clock and its timers. */
export interface Clock {
  /** Milliseconds since some moment. */
  now: () => number;
  sleep: (ms: number) => Promise<unknown>;
  /** Calls a function at an interval. Returns a function that ends it. */
  repeat: (ms: number, action: () => void) => () => void;
}

/** What the holder of a lock can ask. */
export interface HeldLock {
  /** Whether another process has taken the lock over. */
  isTakenOver: () => boolean;
  /** Whether another process waits for the lock. */
  isAwaited: () => boolean;
}

/** How to wait for a lock. */
export interface Wait {
  /** Returns true when the lock is no longer needed. */
  isDone: () => boolean;
  /** Ends the wait; its reason is thrown. */
  signal: AbortSignal;
  /** Longest wait, ms. Time in which this process was suspended or starved does not count. */
  limit: number;
  /** Waits for a silent holder until the limit: this process has lost the lock once, because it was slow. */
  isPatient: boolean;
  /** Called once, when the wait takes long. */
  onWait: (holder: string) => void;
  /** Makes the error to throw at the limit. */
  onLimit: (holder: string) => Error;
}

const TIMES: LockTimes = { heartbeat: 500, stale: 10_000, poll: 50, quiet: 2_000 };

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: setTimeout,
  repeat: (ms, action) => {
    const timer = setInterval(action, ms);
    return () => clearInterval(timer);
  },
};

/** One lock, and how this process waits for it. */
interface Lock {
  /** The directory of the locks. */
  dir: DirHandle;
  name: string;
  /** This process. */
  owner: string;
  times: LockTimes;
  clock: Clock;
}

/**
 * Runs a function while holding a lock.
 *
 * The lock is a directory with one file, which is named after the owner. Renaming a complete directory into
 * place takes the lock, and fails while another one is there. The file of a former owner is removed by its
 * name, so no waiter can remove the lock of a living successor. A waiter has an empty directory beside the
 * lock, which becomes the lock. No clock of another machine, and no clock that can be set, is compared.
 *
 * A waiter takes over the lock of a dead process at once. If the holder is in another container or on another host,
 * the waiter takes over after `stale` without a heartbeat; if the holder is a live process, at the limit and only
 * without a heartbeat. At its limit, a waiter gives up on a holder with a heartbeat.
 *
 * So a holder that was suspended may continue beside its successor. Each of the two builds in its own staging
 * directory, and one rename publishes the entry of one of them.
 *
 * @param place the store, the names down to the existing directory of its locks, and the name of the lock
 * @returns what the function returned; undefined when `isDone` ended the wait
 * @throws the error of `onLimit`, the reason of `signal`, and errors of the file system
 */
export async function withLock<T>(
  place: { store: string; dirs: string[]; name: string },
  run: (held: HeldLock) => Promise<T>,
  wait: Wait,
  { times = TIMES, clock = systemClock }: { times?: LockTimes; clock?: Clock } = {},
): Promise<T | undefined> {
  const dir = openDir(place.store, ...place.dirs);
  const lock: Lock = { dir, name: place.name, owner: nameOwner(), times, clock };
  try {
    return (await acquire(lock, wait)) ? await hold(lock, run) : undefined;
  } catch (error) {
    throw nameError(error, dir);
  } finally {
    dir.close();
  }
}

async function hold<T>(lock: Lock, run: (held: HeldLock) => Promise<T>): Promise<T> {
  const { dir, name, owner, times, clock } = lock;
  let count = 0;
  const stop = clock.repeat(times.heartbeat, () => heartbeat(dir, name, owner, ++count));
  try {
    sweep(dir, name, owner);
    return await run({
      isTakenOver: () => ![undefined, owner].includes(readHolder(dir, name).holder),
      isAwaited: () => isAwaited(dir, name, owner),
    });
  } finally {
    stop();
    ignoreErrors(() => {
      // Waiters that were killed have left their directories.
      sweep(dir, name, owner);
      release(dir, name, owner);
    });
  }
}

/** Waits for the lock and takes it; returns false when `isDone` ended the wait. */
async function acquire(lock: Lock, wait: Wait): Promise<boolean> {
  const { dir, name, owner, times, clock } = lock;
  const waiter = waiterName(name, owner);
  const stale = wait.isPatient ? wait.limit : Math.min(times.stale, wait.limit);
  const measure = startMeasuring(lock);
  let lastHolder: string | undefined;
  let isReported = false;
  try {
    for (;;) {
      const { holder, state } = readHolder(dir, name);
      if (holder === undefined && take(dir, name, owner)) return true;
      if (wait.isDone()) return false;
      wait.signal.throwIfAborted();
      // Each new holder sweeps the directory away.
      if (holder !== lastHolder) ignoreErrors(() => makeIn(dir, waiter));
      lastHolder = holder;
      const { waited, silence } = measure(state);
      const isTimedOut = waited >= wait.limit;
      if (holder !== undefined && canTakeOver(holder, silence >= stale, isTimedOut)) {
        release(dir, name, holder);
        continue;
      }
      if (isTimedOut) throw wait.onLimit(describeOwner(holder));
      if (!isReported && waited >= times.quiet) {
        isReported = true;
        wait.onWait(describeOwner(holder));
      }
      await clock.sleep(times.poll);
    }
  } finally {
    ignoreErrors(() => removeIn(dir, waiter));
  }
}

/**
 * Measures how long a wait has lasted, and how long its lock has not changed. Between two checks one heartbeat
 * counts at most: when this process was suspended or starved, the holder may have been too.
 */
function startMeasuring({ times, clock }: Lock) {
  let checkedAt = clock.now();
  let waited = 0;
  let changedAt = 0;
  let last: string | undefined;
  return (state: string): { waited: number; silence: number } => {
    const now = clock.now();
    waited += Math.min(now - checkedAt, times.heartbeat);
    checkedAt = now;
    if (last !== undefined && state !== last) changedAt = waited;
    last = state;
    return { waited, silence: waited - changedAt };
  };
}

function canTakeOver(holder: string, isStale: boolean, isTimedOut: boolean): boolean {
  const liveness = checkOwner(holder);
  return liveness === 'dead' || (isStale && (liveness === 'unknown' || isTimedOut));
}
