/** The pace of requests: one installer, and many against one limit, in virtual time. */
import { describe, expect, test } from 'vitest';
import { createPacer, type Pacer } from '../../../src/registry/pace.ts';
import type { Refusal } from '../../../src/types.ts';
import { openVirtualTime, type VirtualTime } from '../../support/virtual-time.ts';

const refusal: Refusal = { code: 'ANNEX_OFFLINE', reason: 'busy', hint: 'wait' };
const HOST = 'registry.corp';
/** The time until an answer, and that of a transfer, ms. */
const [LATENCY, TRANSFER] = [200, 150];

const openPacer = (time: VirtualTime, { deadline = 300_000, tarballs = 5 } = {}): Pacer =>
  createPacer({ retryMinimum: 10_000 }, { deadline, wait: time.wait, tarballs, hosts: new Map() });

/** A limit by a token bucket; a registry that fails for a time gives no token. */
interface Limit {
  /** Requests per second. */
  rate: number;
  burst: number;
  /** ms */
  retryAfter: number;
  /** ms */
  failsUntil?: number;
}

/** Whole fetches of pods with a store of their own. */
async function fetchInPods(limit: Limit, { pods = 50, tarballs = 5, startsWithin = 0, seed = 1 }) {
  const time = openVirtualTime(seed);
  const { rate, burst, retryAfter, failsUntil = 0 } = limit;
  let [tokens, last] = [burst, 0];
  const counts = { requests: 0, whileFailing: 0, early: 0, ends: [] as number[] };
  const take = (): boolean => {
    counts.requests += 1;
    if (time.now() < failsUntil) {
      counts.whileFailing += 1;
      return false;
    }
    tokens = Math.min(burst, tokens + ((time.now() - last) / 1_000) * rate);
    last = time.now();
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  const runPod = async (pod: number): Promise<void> => {
    await time.wait((startsWithin * pod) / pods);
    const pacer = openPacer(time, { tarballs });
    let left = tarballs;
    let allowedAt = 0;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const leave = await pacer.enter(HOST);
        if (time.now() < allowedAt) counts.early += 1;
        const isServed = take();
        await time.wait(LATENCY);
        if (!isServed) allowedAt = time.now() + retryAfter;
        leave(isServed ? { isAnswered: true } : { refusal, retryAfter });
        if (isServed) await time.wait(TRANSFER);
        else left += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    counts.ends.push(time.now());
  };
  await time.run(Array.from({ length: pods }, (_, pod) => runPod(pod)));
  return { ...counts, end: Math.max(...counts.ends) };
}

const LIMIT: Limit = { rate: 5, burst: 20, retryAfter: 2_000 };
/** The limit gives the last of 250 tokens at this time, ms. */
const LEAST = ((250 - LIMIT.burst) / LIMIT.rate) * 1_000;

describe('fifty installers at a limit of 5 requests per second', () => {
  // Each of them is refused once: nothing else tells it of the limit. That is 1.2 requests for each of five tarballs.
  test.each([
    [0, 1.3, 1.2],
    [500, 1.3, 1.2],
    [1_000, 1.3, 1.25],
    [3_000, 1.5, 1.25],
    [10_000, 1.5, 1.3],
  ])(
    'that start within %i ms are ready in %f times the least time, with %f requests per tarball',
    async (startsWithin, slower, perTarball) => {
      for (let seed = 1; seed <= 5; seed += 1) {
        const { end, ends, requests, early } = await fetchInPods(LIMIT, { startsWithin, seed });
        expect(ends).toHaveLength(50);
        expect(end).toBeLessThanOrEqual(slower * LEAST + startsWithin);
        expect(requests).toBeLessThanOrEqual(perTarball * 250);
        expect(early).toBe(0);
      }
    },
  );

  test('are ready in 1.3 times the least time after the registry has failed for a minute', async () => {
    const limit = { ...LIMIT, failsUntil: 60_000 };
    for (let seed = 1; seed <= 5; seed += 1) {
      const { end, ends, requests, whileFailing, early } = await fetchInPods(limit, { seed });
      expect(ends).toHaveLength(50);
      expect(end).toBeLessThanOrEqual(60_000 + 1.3 * LEAST);
      // About one request of each in ten seconds.
      expect(whileFailing).toBeLessThanOrEqual(50 * 7);
      expect(requests - whileFailing).toBeLessThanOrEqual(1.2 * 250);
      expect(early).toBe(0);
    }
  });
});

describe('few installers at a limit of 5 requests per second', () => {
  test.each([
    { pods: 10, tarballs: 5, seconds: 20 },
    { pods: 3, tarballs: 20, seconds: 20 },
    // 1.3 times the least time.
    { pods: 1, tarballs: 100, seconds: 20.8 },
  ])('$pods with $tarballs tarballs are ready in $seconds s', async ({ seconds, ...pods }) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { end, requests } = await fetchInPods(LIMIT, { ...pods, seed });
      expect(end).toBeLessThanOrEqual(seconds * 1_000);
      expect(requests).toBeLessThanOrEqual(1.2 * pods.pods * pods.tarballs);
    }
  });
});

test('one installer of 100 tarballs is as fast as eight requests at a time, without a limit', async () => {
  const limit = { rate: 1_000, burst: 1_000, retryAfter: 2_000 };
  const { end } = await fetchInPods(limit, { pods: 1, tarballs: 100 });
  expect(end).toBeLessThanOrEqual(1.05 * Math.ceil(100 / 8) * (LATENCY + TRANSFER));
});

test('three installers that share one request per 3 s are all ready', async () => {
  const limit = { rate: 1 / 3, burst: 1, retryAfter: 3_000 };
  const { ends, early } = await fetchInPods(limit, { pods: 3 });
  expect(ends).toHaveLength(3);
  expect(early).toBe(0);
});

describe('one installer', () => {
  /** Starts as many requests as possible, each answered in turn, and returns how many were under way each time. */
  async function countTogether(answers: number): Promise<number[]> {
    const time = openVirtualTime(1);
    const pacer = openPacer(time);
    const counts: number[] = [];
    let active = 0;
    const work = async (): Promise<void> => {
      while (counts.length < answers) {
        const leave = await pacer.enter(HOST);
        active += 1;
        counts.push(active);
        await time.wait(100);
        active -= 1;
        leave({ isAnswered: true });
      }
    };
    await time.run(Array.from({ length: 20 }, work));
    return counts;
  }

  test('makes one request at a time at first, and up to eight with the answers', async () => {
    const counts = await countTogether(100);
    expect(counts.slice(0, 4)).toEqual([1, 1, 1, 1]);
    expect(Math.max(...counts)).toBe(8);
  });

  test('is slower after a refusal, and becomes faster again with each five answers', async () => {
    const time = openVirtualTime(1);
    const pacer = openPacer(time, { deadline: Number.POSITIVE_INFINITY });
    const starts: number[] = [];
    const request = async (isServed: boolean): Promise<void> => {
      const leave = await pacer.enter(HOST);
      starts.push(time.now());
      leave(isServed ? { isAnswered: true } : { refusal, retryAfter: 2_000 });
    };
    const all = async (): Promise<void> => {
      for (let count = 0; count < 16; count += 1) await request(true);
      await request(false);
      for (let count = 0; count < 40; count += 1) await request(true);
    };
    await time.run([all()]);
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    expect(gaps.slice(0, 16)).toEqual(Array(16).fill(0));
    expect(gaps[16]).toBeGreaterThanOrEqual(2_000);
    // 10 s, divided by the 16 answers until then; half of it after each five answers.
    expect(gaps[17]).toBeCloseTo(625, -1);
    expect(gaps[22]).toBeCloseTo(625 / 2, -1);
    expect(gaps.at(-1)).toBeLessThan(5);
  });

  test('refusals of requests that were under way together count once', async () => {
    const time = openVirtualTime(1);
    const pacer = openPacer(time);
    const gaps: number[] = [];
    const all = async (): Promise<void> => {
      for (let count = 0; count < 16; count += 1) (await pacer.enter(HOST))({ isAnswered: true });
      const leaves = await Promise.all(Array.from({ length: 8 }, () => pacer.enter(HOST)));
      for (const leave of leaves) leave({ refusal, retryAfter: 2_000 });
      (await pacer.enter(HOST))({ isAnswered: false });
      const start = time.now();
      (await pacer.enter(HOST))({ isAnswered: false });
      gaps.push(time.now() - start);
    };
    await time.run([all()]);
    expect(gaps).toEqual([625]);
  });

  test('is refused at once when its turn is after the deadline', async () => {
    const time = openVirtualTime(1);
    const pacer = openPacer(time, { deadline: 60_000 });
    (await pacer.enter(HOST))({ refusal, retryAfter: 61_000 });
    await expect(pacer.enter(HOST)).rejects.toMatchObject({ refusal, isTransient: false });
    expect(time.now()).toBe(0);
    await pacer.enter('other.corp');
  });
});
