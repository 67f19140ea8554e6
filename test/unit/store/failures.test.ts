/** What a store remembers of features that failed: for how long, for whom, and what it does not fall for. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findInstallRefusal, refuseAgain } from '../../../src/refusals.ts';
import { readAbi } from '../../../src/runtime.ts';
import {
  clearFailure,
  isInForce,
  isRemembered,
  nextFailure,
  pauseAfter,
  readFailure,
  writeFailure,
} from '../../../src/store/failures.ts';
import { failurePath } from '../../../src/store/layout.ts';
import type { ErrorCode, Failure, Refusal, Settings } from '../../../src/types.ts';
import { makeFeature } from '../../support/feature.ts';
import { removeTree } from '../../support/tree.ts';
import { callAsPlainUser } from '../../support/user.ts';

const feature = makeFeature('alpha');
const refusal: Refusal = { code: 'ANNEX_OFFLINE', reason: 'no answer', hint: 'try later' };
const abi = 'node137-linux-x64-glibc';
const second = 1_000;
const minute = 60 * second;
const now = Date.UTC(2026, 0, 1, 12);

const first = nextFailure(undefined, { feature, abi, refusal, now });

function makeStore(): string {
  const store = mkdtempSync(join(realpathSync(tmpdir()), 'annex-failures-'));
  onTestFinished(() => removeTree(store));
  return store;
}

describe('how long a feature is left alone', () => {
  test('30 s, doubled with each failure in a row, at most 15 minutes', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 50, 5000].map((attempts) => pauseAfter(attempts) / second);
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900, 900, 900]);
  });

  test('failures in a row count up; one of other ranges or another ABI starts again', () => {
    const options = { feature, abi, refusal, now: now + minute };
    expect(first).toMatchObject({ attempts: 1, at: now, until: now + 30 * second });
    expect(nextFailure(first, options)).toMatchObject({
      attempts: 2,
      until: now + minute + 60 * second,
    });
    const changed = { ...feature, packages: { alpha: '^2.0.0' } };
    expect(nextFailure(first, { ...options, feature: changed }).attempts).toBe(1);
    expect(nextFailure(first, { ...options, abi: 'other' }).attempts).toBe(1);
  });

  test('it is in force from its moment until its end, and not a millisecond longer', () => {
    const isAt = (ms: number) => isInForce(first, feature, abi, now + ms);
    expect([0, 1, 30 * second - 1].map(isAt)).toEqual([true, true, true]);
    expect([30 * second, minute].map(isAt)).toEqual([false, false]);
  });

  test('a clock that was set back does not make it last', () => {
    expect(isInForce(first, feature, abi, now - 1)).toBe(false);
    expect(isInForce(first, feature, abi, now - 400 * 24 * 60 * minute)).toBe(false);
  });

  test('other ranges, other packages and another ABI may be tried at once', () => {
    const others = [{ alpha: '^2.0.0' }, { alpha: '^1.0.0', beta: '1' }, { beta: '^1.0.0' }, {}];
    for (const packages of others) {
      expect(isInForce(first, { ...feature, packages }, abi, now)).toBe(false);
    }
    expect(isInForce(first, feature, 'node127-linux-x64-glibc', now)).toBe(false);
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

  test('a refusal that is repeated says when the next try is', () => {
    expect(refuseAgain(first)).toEqual({
      ...refusal,
      state: 'Next try at 12:00:30 UTC; other features unaffected',
    });
  });
});

describe('in a store', () => {
  test('what is written is read, by that feature alone; cleared, it is gone', () => {
    const store = makeStore();
    expect(readFailure(store, feature)).toBeUndefined();
    writeFailure(store, feature, first);
    expect(readFailure(store, feature)).toEqual(first);
    expect(readFailure(store, { ...feature, name: 'beta', slug: 'beta' })).toBeUndefined();
    expect(readFailure(store, { ...feature, name: '@alpha' })).toBeUndefined();
    clearFailure(store, feature.slug);
    expect(readFailure(store, feature)).toBeUndefined();
    expect(readdirSync(dirname(failurePath(store, 'alpha')))).toEqual([]);
  });

  test('debris of a writer that was killed is written over, and cleared', () => {
    const store = makeStore();
    const path = failurePath(store, 'alpha');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, '{"half');
    writeFailure(store, feature, first);
    expect(readdirSync(dirname(path))).toEqual(['alpha.json']);
    writeFileSync(`${path}.new`, '{"half');
    clearFailure(store, feature.slug);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test('a store that cannot be written forgets, and nothing is thrown', () => {
    const store = makeStore();
    writeFailure(store, feature, first);
    const path = failurePath(store, 'alpha');
    const before = readFileSync(path, 'utf8');
    chmodSync(store, 0o755);
    for (const dir of [dirname(path), join(store, 'v1')]) chmodSync(dir, 0o555);
    callAsPlainUser(() => {
      writeFailure(store, feature, { ...first, attempts: 2 });
      clearFailure(store, feature.slug);
    });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });
});

describe('a damaged memory is no memory', () => {
  const settings = (store: string) =>
    ({
      store,
      layers: [],
      core: { root: '/app' },
      gate: { isAllowed: true },
    }) as unknown as Settings;
  const ours = { ...first, abi: readAbi(), at: Date.now() - second, until: Date.now() + minute };

  test('this one is good, and keeps the feature from being tried', () => {
    const store = makeStore();
    writeFailure(store, feature, ours);
    expect(findInstallRefusal(settings(store), feature)).toMatchObject({ code: 'ANNEX_OFFLINE' });
  });

  const broken: [string, unknown][] = [
    ['half a file', '{"feature":"al'],
    ['nothing', ''],
    ['null', null],
    ['a list', []],
    ['no times', { ...ours, at: undefined, until: undefined }],
    ['a time that is none', { ...ours, until: 'tomorrow' }],
    ['for ever', { ...ours, until: 1e300 }],
    ['for longer than any pause', { ...ours, until: Date.now() + 24 * 60 * minute }],
    ['no refusal', { ...ours, refusal: undefined }],
    ['a refusal without a reason', { ...ours, refusal: { code: 'ANNEX_OFFLINE' } }],
    ['no count', { ...ours, attempts: null }],
  ];
  test.each(broken)('%s', (_, content) => {
    const store = makeStore();
    const path = failurePath(store, 'alpha');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    expect(findInstallRefusal(settings(store), feature)).toBeUndefined();
    const next = nextFailure(readFailure(store, feature), { feature, abi, refusal, now });
    expect((next satisfies Failure).until).toBeGreaterThan(now);
  });
});
