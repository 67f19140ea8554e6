/** The lock of a feature: one holder at a time, and no process removes the lock of another living one. */
import { mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type HeldLock, systemClock } from '../../../src/store/lock.ts';
import {
  clock,
  endOne,
  hold,
  keepHeartbeat,
  leave,
  list,
  makeOwner,
  makePath,
  times,
} from '../../support/locks.ts';
import { removeTree } from '../../support/tree.ts';

/** Longer than a holder without a heartbeat keeps its lock. */
const LONG = 2 * times.stale + 200;

test('many callers in one process hold it one after the other', async () => {
  const path = makePath();
  let inside = 0;
  let most = 0;
  const runs = Array.from({ length: 25 }, (_, index) =>
    hold(path, {
      run: async () => {
        most = Math.max(most, ++inside);
        await clock.sleep(3);
        inside--;
        return index;
      },
    }),
  );
  expect(await Promise.all(runs)).toEqual(Array.from({ length: 25 }, (_, index) => index));
  expect(most).toBe(1);
  expect(list(path)).toEqual([]);
});

test('the error of the function is thrown, and the lock is free again', async () => {
  const path = makePath();
  const run = hold(path, { run: () => Promise.reject(new Error('inside')) });
  await expect(run).rejects.toThrow('inside');
  expect(list(path)).toEqual([]);
  expect(await hold(path)).toBe('held');
});

describe('a live holder', () => {
  test('changes the times of its file with each heartbeat', async () => {
    const path = makePath();
    const seen: number[] = [];
    const run = async () => {
      const file = join(path, readdirSync(path)[0] ?? '');
      for (let count = 0; count < 4; count++) {
        await clock.sleep(times.heartbeat);
        seen.push(statSync(file).mtimeMs);
      }
    };
    await hold(path, { run });
    expect(seen).toEqual([2_000, 4_000, 6_000, 8_000]);
  });

  test.each([
    ['on the clock of the test', clock],
    ['on the clock of the machine', systemClock],
  ])('keeps its lock for longer than a dead one would, %s', async (_, clock) => {
    const path = makePath();
    // Nothing may depend on a clock that can be set.
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    let isHeld = true;
    const holder = hold(path, {
      clock,
      run: async () => {
        await clock.sleep(LONG);
        isHeld = false;
      },
    });
    await hold(path, { clock, run: async () => expect(isHeld).toBe(false) });
    await holder;
  });

  test('keeps it when the system clock is set back or forward', async () => {
    const path = makePath();
    const owner = 'elsewhere';
    leave(path, owner);
    let hour = 0;
    const stop = clock.repeat(times.heartbeat, () => {
      hour++;
      const seconds = Date.now() / 1000 + 3600 * (hour % 2 === 0 ? hour : -hour);
      utimesSync(join(path, owner), seconds, seconds);
    });
    onTestFinished(stop);
    const waiter = hold(path, { limit: LONG });
    await expect(waiter).rejects.toThrow('another process holds it');
    expect(list(path)).toEqual(['alpha.lock', `alpha.lock/${owner}`]);
  });

  test('keeps it while the waiter and the holder are stopped repeatedly', async () => {
    const path = makePath();
    leave(path, 'holder');
    keepHeartbeat(join(path, 'holder'));
    let stopped = 0;
    const now = () => clock.now() + stopped;
    const stop = (ms: number) => {
      stopped += 10 * times.stale;
      return clock.sleep(ms);
    };
    const waiter = hold(path, { clock: { ...clock, now, sleep: stop }, limit: LONG });
    await expect(waiter).rejects.toThrow('another process holds it');
    expect(list(path)).toEqual(['alpha.lock', 'alpha.lock/holder']);
  });
});

describe('a dead holder', () => {
  test.each([
    ['just now', Date.now() / 1000],
    ['in the year 2000', 946_684_800],
    ['in the future', 4_102_444_800],
  ])(
    'with its last heartbeat %s is waited for by the clock of the waiter, then its lock is taken',
    async (_, at) => {
      const path = makePath();
      leave(path, 'dead');
      utimesSync(join(path, 'dead'), at, at);
      const start = clock.now();
      expect(await hold(path)).toBe('held');
      expect(clock.now() - start).toBe(times.stale);
      expect(list(path)).toEqual([]);
    },
  );

  test('loses its lock to one of many waiters, and the others wait for it', async () => {
    const path = makePath();
    leave(path, 'dead');
    let inside = 0;
    let most = 0;
    const run = async () => {
      most = Math.max(most, ++inside);
      await clock.sleep(10);
      inside--;
    };
    await Promise.all(Array.from({ length: 12 }, () => hold(path, { run })));
    expect(most).toBe(1);
    expect(list(path)).toEqual([]);
  });
});

describe('a waiter', () => {
  test('that reaches its limit leaves the lock of a live holder', async () => {
    const path = makePath();
    leave(path, 'holder');
    keepHeartbeat(join(path, 'holder'));
    await expect(hold(path, { limit: 60 })).rejects.toThrow('another process holds it');
    expect(list(path)).toEqual(['alpha.lock', 'alpha.lock/holder']);
  });

  test('that no longer needs the lock returns without it', async () => {
    const path = makePath();
    leave(path, 'holder');
    let asked = 0;
    expect(await hold(path, { isDone: () => ++asked === 3 })).toBeUndefined();
    expect(list(path)).toEqual(['alpha.lock', 'alpha.lock/holder']);
  });

  test('gives each new holder the full time', async () => {
    const path = makePath();
    leave(path, 'first');
    const start = clock.now();
    const waiter = hold(path);
    await clock.sleep(times.stale / 2);
    writeFileSync(join(path, 'second'), '');
    removeTree(join(path, 'first'));
    expect(await waiter).toBe('held');
    expect(clock.now() - start).toBeGreaterThanOrEqual(1.5 * times.stale);
  });

  test('is visible to the holder until it ends', async () => {
    const path = makePath();
    const stop = new AbortController();
    const run = async ({ isAwaited }: HeldLock) => {
      expect(isAwaited()).toBe(false);
      const waiter = hold(path, { signal: stop.signal });
      expect(isAwaited()).toBe(true);
      stop.abort(new Error('no longer wanted'));
      await expect(waiter).rejects.toThrow('no longer wanted');
      expect(isAwaited()).toBe(false);
      expect(list(path)).toHaveLength(2);
    };
    await hold(path, { run });
    expect(list(path)).toEqual([]);
  });

  test('does not count when it is dead, or waits for another feature', async () => {
    const path = makePath();
    const run = async ({ isAwaited }: HeldLock) => {
      mkdirSync(`${path}.${makeOwner({ pid: endOne() })}`);
      mkdirSync(`${path.replace('alpha', 'beta')}.${makeOwner()}`);
      expect(isAwaited()).toBe(false);
      mkdirSync(`${path}.${makeOwner({ place: 'fedcba987654' })}`);
      expect(isAwaited()).toBe(true);
    };
    await hold(path, { run });
  });
});

test('a holder that lost its lock can tell, and does not release that of its successor', async () => {
  const path = makePath();
  let successor: Promise<unknown> | undefined;
  const order: string[] = [];
  const run = async ({ isTakenOver }: HeldLock) => {
    expect(isTakenOver()).toBe(false);
    const [mine = ''] = readdirSync(path);
    removeTree(join(path, mine));
    expect(isTakenOver()).toBe(false);
    successor = hold(path, {
      run: async () => {
        await clock.sleep(100);
        order.push('successor');
      },
    });
    expect(isTakenOver()).toBe(true);
    order.push('holder');
  };
  await hold(path, { run });
  expect(list(path)).toHaveLength(2);
  await successor;
  expect(order).toEqual(['holder', 'successor']);
  expect(list(path)).toEqual([]);
});
