/** Failures in a store: how long they are in force, for which configuration, and which are not trusted. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostName } from '../../../src/base/store-layout.ts';
import { refuseAgain, showTime } from '../../../src/status/refusals.ts';
import {
  addFailure,
  backoffDelay,
  clearFailure,
  clearFailures,
  hasFailedHosts,
  isInForce,
  isRemembered,
  listRemembered,
  nextFailure,
  readFailures,
  readInForce,
} from '../../../src/store/failures.ts';
import type { ErrorCode } from '../../../src/types.ts';
import {
  add,
  day,
  failed,
  first,
  makeStore,
  minute,
  now,
  refusal,
  second,
} from '../../support/failures-world.ts';
import { failurePath, failureRoot } from '../../support/store-paths.ts';
import { callAsPlainUser } from '../../support/user.ts';

describe('the delay after a failure', () => {
  const all = [1, 2, 3, 4, 5, 6, 7, 50, 5000];

  test('starts at 30 s and doubles with each failure in a row, up to 15 minutes', () => {
    const pauses = all.map((attempts) => backoffDelay(attempts, 0) / second);
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900]);
  });

  test('has 20 % jitter', () => {
    const shortest = all.map((attempts) => backoffDelay(attempts, 1) / second);
    expect(shortest).toEqual([24, 48, 96, 192, 384, 720, 720, 720, 720]);
    const ends = Array.from({ length: 200 }, () => nextFailure(undefined, failed, now).until - now);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(24 * second);
    expect(Math.max(...ends)).toBeLessThanOrEqual(30 * second);
    expect(new Set(ends).size).toBeGreaterThan(50);
  });

  test('failures in a row are counted; the count starts again after a day', () => {
    expect(first).toEqual({ ...failed, attempts: 1, at: now, until: now + 30 * second });
    const then = now + minute;
    expect(nextFailure(first, failed, then, 0)).toMatchObject({
      attempts: 2,
      until: then + 60 * second,
    });
    expect(nextFailure(first, failed, first.until + day - 1).attempts).toBe(2);
    expect(nextFailure(first, failed, first.until + day).attempts).toBe(1);
  });

  test('a failure is in force exactly until its end', () => {
    const isAt = (ms: number) => isInForce(first, now + ms);
    expect([0, 1, 30 * second - 1].map(isAt)).toEqual([true, true, true]);
    expect([30 * second, minute].map(isAt)).toEqual([false, false]);
  });

  test('a clock slightly behind that of the recording process changes nothing', () => {
    expect(isInForce(first, now - 5 * second)).toBe(true);
  });

  test('a clock that was set back never extends it beyond the longest delay', () => {
    expect(isInForce(first, now + 30 * second - 15 * minute)).toBe(true);
    expect(isInForce(first, now + 30 * second - 15 * minute - 1)).toBe(false);
    expect(isInForce(first, now - 400 * day)).toBe(false);
  });

  test('a record beyond the longest delay is never in force, not even at its end', () => {
    const until = now + day;
    expect(isInForce({ ...first, until }, now)).toBe(false);
    expect(isInForce({ ...first, until }, until - second)).toBe(false);
  });

  test('the next attempt is never before the time that the registry named, and up to 30 s later', () => {
    const asked = { ...failed, refusal: { ...refusal, retryAt: now + 120 * minute } };
    expect(nextFailure(undefined, asked, now, 0).until).toBe(now + 120 * minute);
    expect(nextFailure(undefined, asked, now, 1).until).toBe(now + 120 * minute + 30 * second);
    const soon = { ...failed, refusal: { ...refusal, retryAt: now + second } };
    expect(nextFailure(undefined, soon, now, 0).until).toBe(now + 30 * second);
  });

  test('a pause that a registry asked for is in force for up to a day', () => {
    const retryAt = now + 2 * day;
    const paused = nextFailure(undefined, { ...failed, refusal: { ...refusal, retryAt } }, now, 0);
    expect(paused.until).toBe(now + day);
    expect(isInForce(paused, now)).toBe(true);
    expect(isInForce(paused, now - second)).toBe(false);
  });

  test.each([
    ['ANNEX_DENIED', false],
    ['ANNEX_CONFLICT', false],
    ['ANNEX_INVALID_CONFIG', false],
    ['ANNEX_OFFLINE', true],
    ['ANNEX_INSTALL_FAILED', true],
    ['ANNEX_TIMEOUT', true],
    ['ANNEX_INTEGRITY', true],
    ['ANNEX_NO_SPACE', true],
  ] satisfies [ErrorCode, boolean][])('%s is remembered: %s', (code, isIt) => {
    expect(isRemembered({ ...refusal, code })).toBe(isIt);
  });

  test('a denial for a blocked version is remembered: finding it takes a resolution', () => {
    const blocked = { name: 'low', version: '1.0.0', spec: 'low', by: 'package.json' };
    expect(isRemembered({ ...refusal, code: 'ANNEX_DENIED', blocked })).toBe(true);
  });

  test('the time of an attempt is shown with its date when it is half a day ahead', () => {
    const tomorrow = Date.now() + day;
    expect(showTime(tomorrow)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    expect(showTime(tomorrow - 13 * 60 * minute)).toMatch(/^\d\d:\d\d:\d\d UTC$/);
  });

  test('a repeated refusal has the time of the next attempt', () => {
    expect(refuseAgain({ failure: first, isStored: false }, 'annex install alpha')).toEqual({
      ...refusal,
      state: 'Next try at 12:00:30 UTC; other features unaffected',
    });
  });

  test('the refusal for a host names the host and the feature that failed', () => {
    const remembered = { failure: first, host: 'registry.corp', isStored: true };
    expect(refuseAgain(remembered, 'annex install beta')).toEqual({
      code: 'ANNEX_OFFLINE',
      reason: 'registry.corp failed for alpha: "no answer"',
      hint: 'check that this machine can reach the registry, then annex install beta',
      state: 'Next try at 12:00:30 UTC; other features unaffected',
    });
  });
});

describe('in a store', () => {
  test('a failure is read under its own name only, and can be cleared', () => {
    const store = makeStore();
    expect(readFailures(store, 'alpha')).toEqual([]);
    add(store, now);
    expect(readFailures(store, 'alpha')).toMatchObject([{ ...failed, attempts: 1, at: now }]);
    expect(readFailures(store, 'beta')).toEqual([]);
    clearFailure(store, 'alpha');
    expect(readdirSync(failureRoot(store))).toEqual([]);
  });

  test('every configuration has its own count and end', () => {
    const store = makeStore();
    add(store, now);
    add(store, now + minute, { key: 'two' });
    add(store, now + 2 * minute);
    const counts = readFailures(store, 'alpha').map(({ key, attempts }) => [key, attempts]);
    expect(counts).toEqual([
      ['one', 2],
      ['two', 1],
    ]);
    clearFailure(store, 'alpha', 'one');
    expect(readFailures(store, 'alpha')).toMatchObject([{ key: 'two' }]);
    clearFailure(store, 'alpha', 'two');
    expect(readdirSync(failureRoot(store))).toEqual([]);
  });

  test('configurations expire after a day, and at most ten are kept', () => {
    const store = makeStore();
    for (let index = 0; index < 15; index++) add(store, now + index, { key: `old ${index}` });
    expect(readFailures(store, 'alpha')).toHaveLength(10);
    add(store, now + day + minute);
    expect(readFailures(store, 'alpha')).toMatchObject([{ key: 'one' }]);
  });

  test('the count starts again after a failure that was ignored', () => {
    const store = makeStore();
    for (const minutes of [0, 1, 3]) add(store, now + minutes * minute);
    expect(readFailures(store, 'alpha')).toMatchObject([{ attempts: 3 }]);
    const times = { ignored: listRemembered(store), now: now + 4 * minute };
    addFailure(store, 'alpha', failed, times);
    expect(readFailures(store, 'alpha')).toMatchObject([{ attempts: 1, at: times.now }]);
    addFailure(store, 'alpha', failed, { ...times, now: now + 5 * minute });
    expect(readFailures(store, 'alpha')).toMatchObject([{ attempts: 2 }]);
  });

  test('some failures can count for an attempt that ignores the others', () => {
    const store = makeStore();
    add(store, now);
    addFailure(store, 'beta', { ...failed, feature: 'beta' }, { ignored: undefined, now });
    const ignored = listRemembered(store, ({ feature }) => feature === 'beta');
    const inForce = ['alpha', 'beta'].map((name) => readInForce(store, name, now, ignored));
    expect(inForce).toMatchObject([[], [{ feature: 'beta' }]]);
  });

  test('concurrent attempts count as one failure', () => {
    const store = makeStore();
    for (const later of [0, 1, 2, 3]) add(store, now + later);
    expect(readFailures(store, 'alpha')).toMatchObject([{ attempts: 1, at: now }]);
  });

  test('any host name can be remembered beside features', () => {
    const store = makeStore();
    add(store, now);
    expect(hasFailedHosts(store)).toBe(false);
    for (const host of ['registry.corp', '127.0.0.1:4873', '[::1]:80', '../../x']) {
      addFailure(store, hostName(host), failed, { ignored: undefined, now });
      expect(readFailures(store, hostName(host))).toHaveLength(1);
    }
    expect(hasFailedHosts(store)).toBe(true);
    expect(readdirSync(failureRoot(store))).toHaveLength(5);
    clearFailures(store);
    expect(readdirSync(dirname(failureRoot(store)))).toEqual([]);
  });

  test('the temporary file of a killed writer is overwritten, and cleared', () => {
    const store = makeStore();
    const path = failurePath(store, 'alpha');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, '{"half');
    add(store, now);
    expect(readdirSync(dirname(path))).toEqual(['alpha.json']);
    writeFileSync(`${path}.new`, '{"half');
    clearFailure(store, 'alpha');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test('a store that cannot be written stays unchanged, without an error', () => {
    const store = makeStore();
    add(store, now);
    const path = failurePath(store, 'alpha');
    const before = readFileSync(path, 'utf8');
    chmodSync(store, 0o755);
    for (const dir of [dirname(path), join(store, 'v1')]) chmodSync(dir, 0o555);
    callAsPlainUser(() => {
      add(store, now + minute);
      clearFailure(store, 'alpha');
      clearFailures(store);
    });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('a store that cannot be read has no failures, without an error', () => {
    const store = makeStore();
    add(store, now);
    chmodSync(store, 0o755);
    chmodSync(failureRoot(store), 0);
    callAsPlainUser(() => {
      expect(readFailures(store, 'alpha')).toEqual([]);
      expect(hasFailedHosts(store)).toBe(false);
    });
    chmodSync(failureRoot(store), 0o755);
  });
});
