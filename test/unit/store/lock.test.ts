/** The lock of a feature: one holder at a time, a dead one taken over, and nobody's lock removed by another. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type LockTimes, withLock } from '../../../src/store/lock.ts';
import { removeTree } from '../../support/tree.ts';

const times: LockTimes = { beat: 20, stale: 400, poll: 5 };
const never = () => false;

/** Where a lock goes: a directory that is not there yet. */
function makePath(): string {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-lock-'));
  onTestFinished(() => removeTree(root));
  return join(root, 'locks', 'alpha.lock');
}

/** What stands beside and in place of a lock. */
const list = (path: string): string[] =>
  readdirSync(join(path, '..'), { recursive: true }).map(String);

/** A lock as a holder leaves it who was killed. */
function leave(path: string, owner: string | undefined): void {
  mkdirSync(path, { recursive: true });
  if (owner !== undefined) writeFileSync(join(path, owner), '');
}

const hold = (path: string, run: () => Promise<unknown> = async () => 'held', isDone = never) =>
  withLock(path, run, isDone, new AbortController().signal, times);

test('many callers in one process hold it one after the other, and all of them do', async () => {
  const path = makePath();
  let inside = 0;
  let most = 0;
  const runs = Array.from({ length: 25 }, (_, index) =>
    hold(path, async () => {
      most = Math.max(most, ++inside);
      await sleep(3);
      inside--;
      return index;
    }),
  );
  expect(await Promise.all(runs)).toEqual(Array.from({ length: 25 }, (_, index) => index));
  expect(most).toBe(1);
  expect(list(path)).toEqual([]);
});

test('what the function throws comes through, and the lock is free again', async () => {
  const path = makePath();
  const run = hold(path, () => Promise.reject(new Error('inside')));
  await expect(run).rejects.toThrow('inside');
  expect(list(path)).toEqual([]);
  expect(await hold(path)).toBe('held');
});

describe('a holder that lives', () => {
  test('keeps its lock for longer than a dead one would', async () => {
    const path = makePath();
    let isHeld = true;
    const holder = hold(path, async () => {
      await sleep(2 * times.stale + 200);
      isHeld = false;
    });
    await expect.poll(() => existsSync(path)).toBe(true);
    await hold(path, async () => expect(isHeld).toBe(false));
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
    const signal = AbortSignal.timeout(2 * times.stale + 200);
    await expect(withLock(path, async () => 'held', never, signal, times)).rejects.toThrow();
    expect(list(path)).toEqual(['alpha.lock', `alpha.lock/${owner}`]);
  });

  test('keeps it when its own clock stands still', async () => {
    const path = makePath();
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    let isHeld = true;
    const holder = hold(path, async () => {
      await sleep(2 * times.stale + 200);
      isHeld = false;
    });
    await expect.poll(() => existsSync(path)).toBe(true);
    await hold(path, async () => expect(isHeld).toBe(false));
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
    await Promise.all(Array.from({ length: 12 }, () => hold(path, run)));
    expect(most).toBe(1);
    expect(list(path)).toEqual([]);
  });
});

describe('killed between two steps', () => {
  const uuid = '0b6f1c1e-6f0a-4d6e-9d0c-0a1b2c3d4e5f';

  test('an empty lock directory keeps nobody out', async () => {
    const path = makePath();
    leave(path, undefined);
    const start = performance.now();
    expect(await hold(path)).toBe('held');
    expect(performance.now() - start).toBeLessThan(times.stale);
    expect(list(path)).toEqual([]);
  });

  test.each([
    ['before its file', undefined],
    ['before the rename', uuid],
  ])('a lock that was being made, %s, is swept by the next holder', async (_, owner) => {
    const path = makePath();
    leave(`${path}.${uuid}`, owner);
    leave(`${path}.other.lock`, 'somebody');
    leave(join(path, '..', `beta.lock.${uuid}`), owner);
    expect(await hold(path)).toBe('held');
    expect(readdirSync(join(path, '..')).sort()).toEqual(
      ['alpha.lock.other.lock', `beta.lock.${uuid}`].sort(),
    );
  });

  test('one whose lock is being made while it is swept tries again', async () => {
    const path = makePath();
    const sweeping = Array.from({ length: 40 }, () => hold(path, async () => 'held'));
    expect(await Promise.all(sweeping)).toEqual(Array.from({ length: 40 }, () => 'held'));
  });
});

describe('a waiter', () => {
  test('that is ended takes nobody’s lock with it', async () => {
    const path = makePath();
    leave(path, 'holder');
    const ended = withLock(path, async () => 'held', never, AbortSignal.timeout(60), times);
    await expect(ended).rejects.toMatchObject({ name: 'AbortError' });
    expect(list(path)).toEqual(['alpha.lock', 'alpha.lock/holder']);
  });

  test('that has what it wanted goes without the lock', async () => {
    const path = makePath();
    leave(path, 'holder');
    let asked = 0;
    const run = hold(
      path,
      async () => 'held',
      () => ++asked === 3,
    );
    expect(await run).toBeUndefined();
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

test('a holder that was taken over releases nothing of its successor', async () => {
  const path = makePath();
  let successor: Promise<unknown> | undefined;
  const order: string[] = [];
  await hold(path, async () => {
    const [mine = ''] = readdirSync(path);
    removeTree(join(path, mine));
    const isTaken = () => existsSync(path) && readdirSync(path)[0] !== undefined;
    successor = hold(path, async () => {
      await sleep(100);
      order.push('successor');
    });
    await expect.poll(isTaken, { interval: 5 }).toBe(true);
    order.push('holder');
  });
  expect(list(path)).toHaveLength(2);
  await successor;
  expect(order).toEqual(['holder', 'successor']);
  expect(list(path)).toEqual([]);
});
