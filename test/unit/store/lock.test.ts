/** The lock of a feature: one holder at a time, a dead one taken over, and nobody's lock removed by another. */
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Held } from '../../../src/store/lock.ts';
import { endOne, hold, leave, list, makeOwner, makePath, times } from '../../support/locks.ts';
import { removeTree } from '../../support/tree.ts';

const PATIENT = { interval: 5, timeout: 30_000 };

test('many callers in one process hold it one after the other, and all of them do', async () => {
  const path = makePath();
  let inside = 0;
  let most = 0;
  const runs = Array.from({ length: 25 }, (_, index) =>
    hold(path, {
      run: async () => {
        most = Math.max(most, ++inside);
        await sleep(3);
        inside--;
        return index;
      },
    }),
  );
  expect(await Promise.all(runs)).toEqual(Array.from({ length: 25 }, (_, index) => index));
  expect(most).toBe(1);
  expect(list(path)).toEqual([]);
});

test('what the function throws comes through, and the lock is free again', async () => {
  const path = makePath();
  const run = hold(path, { run: () => Promise.reject(new Error('inside')) });
  await expect(run).rejects.toThrow('inside');
  expect(list(path)).toEqual([]);
  expect(await hold(path)).toBe('held');
});

describe('a holder that lives', () => {
  test('shows it again and again', async () => {
    const path = makePath();
    const seen = new Set<number>();
    const run = async () => {
      const file = join(path, readdirSync(path)[0] ?? '');
      const look = () => seen.add(statSync(file).mtimeMs).size;
      await expect.poll(look, PATIENT).toBeGreaterThan(3);
    };
    await hold(path, { run });
  });

  test('keeps its lock for longer than a dead one would', async () => {
    const path = makePath();
    let isHeld = true;
    const holder = hold(path, {
      run: async () => {
        await sleep(2 * times.stale + 200);
        isHeld = false;
      },
    });
    await expect.poll(() => existsSync(path), PATIENT).toBe(true);
    await hold(path, { run: async () => expect(isHeld).toBe(false) });
    await holder;
  });

  test('keeps it when the clock of the machine is set, back or forth', async () => {
    const path = makePath();
    const owner = 'elsewhere';
    leave(path, owner);
    let hour = 0;
    const beat = setInterval(() => {
      hour++;
      const seconds = Date.now() / 1000 + 3600 * (hour % 2 === 0 ? hour : -hour);
      utimesSync(join(path, owner), seconds, seconds);
    }, times.beat);
    onTestFinished(() => clearInterval(beat));
    const waiter = hold(path, { limit: 2 * times.stale + 200 });
    await expect(waiter).rejects.toThrow('another process holds it');
    expect(list(path)).toEqual(['alpha.lock', `alpha.lock/${owner}`]);
  });

  test('keeps it when its own clock stands still', async () => {
    const path = makePath();
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    let isHeld = true;
    const holder = hold(path, {
      run: async () => {
        await sleep(2 * times.stale + 200);
        isHeld = false;
      },
    });
    await expect.poll(() => existsSync(path), PATIENT).toBe(true);
    await hold(path, { run: async () => expect(isHeld).toBe(false) });
    await holder;
  });
});

describe('a dead holder', () => {
  test.each([
    ['just now', Date.now() / 1000],
    ['in the year 2000', 946_684_800],
    ['in the future', 4_102_444_800],
  ])('that beat last %s is waited for by the own clock, then taken over', async (_, beat) => {
    const path = makePath();
    leave(path, 'dead');
    utimesSync(join(path, 'dead'), beat, beat);
    const start = performance.now();
    expect(await hold(path)).toBe('held');
    const waited = performance.now() - start;
    expect(waited).toBeGreaterThanOrEqual(times.stale);
    expect(list(path)).toEqual([]);
  });

  test('is taken over by one of many waiters, and the others wait for that one', async () => {
    const path = makePath();
    leave(path, 'dead');
    let inside = 0;
    let most = 0;
    const run = async () => {
      most = Math.max(most, ++inside);
      await sleep(10);
      inside--;
    };
    await Promise.all(Array.from({ length: 12 }, () => hold(path, { run })));
    expect(most).toBe(1);
    expect(list(path)).toEqual([]);
  });
});

describe('a waiter', () => {
  test('that is ended takes nobody’s lock with it', async () => {
    const path = makePath();
    leave(path, 'holder');
    const beat = setInterval(() => utimesSync(join(path, 'holder'), beats, beats++), times.beat);
    let beats = 1;
    onTestFinished(() => clearInterval(beat));
    await expect(hold(path, { limit: 60 })).rejects.toThrow('another process holds it');
    expect(list(path)).toEqual(['alpha.lock', 'alpha.lock/holder']);
  });

  test('that has what it wanted goes without the lock', async () => {
    const path = makePath();
    leave(path, 'holder');
    let asked = 0;
    expect(await hold(path, { isDone: () => ++asked === 3 })).toBeUndefined();
    expect(list(path)).toEqual(['alpha.lock', 'alpha.lock/holder']);
  });

  test('whose holder changes waits anew for each', async () => {
    const path = makePath();
    leave(path, 'first');
    const start = performance.now();
    const waiter = hold(path);
    await sleep(times.stale / 2);
    writeFileSync(join(path, 'second'), '');
    removeTree(join(path, 'first'));
    expect(await waiter).toBe('held');
    expect(performance.now() - start).toBeGreaterThanOrEqual(1.5 * times.stale);
  });
});

test('a holder that was overruled is told so, and releases nothing of its successor', async () => {
  const path = makePath();
  let successor: Promise<unknown> | undefined;
  const order: string[] = [];
  const run = async ({ isOverruled }: Held) => {
    expect(isOverruled()).toBe(false);
    const [mine = ''] = readdirSync(path);
    removeTree(join(path, mine));
    expect(isOverruled()).toBe(false);
    successor = hold(path, {
      run: async () => {
        await sleep(100);
        order.push('successor');
      },
    });
    await expect.poll(isOverruled, PATIENT).toBe(true);
    order.push('holder');
  };
  await hold(path, { run });
  expect(list(path)).toHaveLength(2);
  await successor;
  expect(order).toEqual(['holder', 'successor']);
  expect(list(path)).toEqual([]);
});

describe('whoever waits', () => {
  test('is seen by the holder, until it goes', async () => {
    const path = makePath();
    const stop = new AbortController();
    const run = async ({ isAwaited }: Held) => {
      expect(isAwaited()).toBe(false);
      const waiter = hold(path, { signal: stop.signal });
      await expect.poll(isAwaited, PATIENT).toBe(true);
      stop.abort(new Error('no longer wanted'));
      await expect(waiter).rejects.toThrow('no longer wanted');
      expect(isAwaited()).toBe(false);
      expect(list(path)).toHaveLength(2);
    };
    await hold(path, { run });
    expect(list(path)).toEqual([]);
  });

  test('does not count once it is dead, nor does who waits for another feature', async () => {
    const path = makePath();
    const run = async ({ isAwaited }: Held) => {
      mkdirSync(`${path}.${makeOwner({ pid: endOne() })}`);
      mkdirSync(`${path.replace('alpha', 'beta')}.${makeOwner()}`);
      expect(isAwaited()).toBe(false);
      mkdirSync(`${path}.${makeOwner({ place: 'fedcba987654' })}`);
      expect(isAwaited()).toBe(true);
    };
    await hold(path, { run });
  });
});
