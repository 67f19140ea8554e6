/** One holder at a time, on any file system: a directory that only a whole one can replace. */

import { randomUUID } from 'node:crypto';
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

/** Times, ms. */
export interface LockTimes {
  /** How often the holder shows that it lives. */
  beat: number;
  /** How long a heartbeat may stand still, by the waiter's own clock, before the holder is dead. */
  stale: number;
  /** How often a waiter looks. */
  poll: number;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIMES: LockTimes = { beat: 1_000, stale: 10_000, poll: 50 };

/**
 * Runs a function while holding a lock.
 *
 * The lock is a directory that holds one file, named after its owner. It is taken by renaming a
 * finished one into place, which fails while another stands there; a dead owner's file is removed by
 * its name, so that of several waiters none can remove the lock of a living successor. Nothing
 * depends on clocks of different machines, or on process ids.
 *
 * @param isDone asked while waiting: when true, the lock is not needed any more
 * @returns what the function returned; undefined when `isDone` ended the wait
 */
export async function withLock<T>(
  path: string,
  run: () => Promise<T>,
  isDone: () => boolean,
  signal: AbortSignal,
  times: LockTimes = TIMES,
): Promise<T | undefined> {
  const owner = await acquire(path, isDone, signal, times);
  if (owner === undefined) return undefined;
  const file = join(path, owner);
  let beats = 0;
  const timer = setInterval(() => beat(file, ++beats), times.beat);
  try {
    sweep(path);
    return await run();
  } finally {
    clearInterval(timer);
    release(path, owner);
  }
}

async function acquire(
  path: string,
  isDone: () => boolean,
  signal: AbortSignal,
  times: LockTimes,
): Promise<string | undefined> {
  const owner = randomUUID();
  mkdirSync(dirname(path), { recursive: true });
  let last = '';
  let since = performance.now();
  for (;;) {
    const seen = look(path);
    if (seen.owner === undefined && take(path, owner)) return owner;
    if (isDone()) return undefined;
    if (seen.state !== last) {
      last = seen.state;
      since = performance.now();
    } else if (seen.owner !== undefined && performance.now() - since > times.stale) {
      remove(() => unlinkSync(join(path, seen.owner as string)));
      continue;
    }
    await sleep(times.poll, undefined, { signal });
  }
}

/** Takes a free lock. An empty directory (being released, or its dead owner removed) is replaced. */
function take(path: string, owner: string): boolean {
  const made = `${path}.${owner}`;
  mkdirSync(made);
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
  } finally {
    rmSync(made, { recursive: true, force: true });
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

/** Removes what others were making when they died; what is not ours to remove is in nobody's way. */
function sweep(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(prefix) || !UUID.test(name.slice(prefix.length))) continue;
    try {
      rmSync(join(dirname(path), name), { recursive: true, force: true });
    } catch {
      // It belongs to another user, or is being renamed at this moment.
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
