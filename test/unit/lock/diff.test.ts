/** Differences of locks, and their text. */
import { expect, test } from 'vitest';
import { describeDiff } from '../../../src/lock/describe-diff.ts';
import { diffLocks } from '../../../src/lock/diff.ts';
import { type Locked, makeLock } from '../../support/lock.ts';

const side = (packages: Record<string, Locked>, shared: Record<string, string> = {}) => ({
  packages: makeLock(packages).packages,
  shared: Object.fromEntries(Object.entries(shared).map(([name, version]) => [name, { version }])),
});
const describe = (...sides: [ReturnType<typeof side>, ReturnType<typeof side>]) =>
  describeDiff(diffLocks(...sides, ['alpha']));

test('a package that moves within node_modules is the same', () => {
  const before = side({ alpha: '1.0.0', 'alpha > leaf': '2.0.0', leaf: '1.0.0' });
  const after = side({ alpha: '1.0.0', 'alpha > leaf': '1.0.0', leaf: '2.0.0' });
  expect(describe(before, after)).toEqual(['the same packages']);
});

test('of several versions only those that differ are listed', () => {
  const before = side({ alpha: '1.0.0', 'alpha > leaf': '2.0.0', leaf: '1.0.0' });
  const after = side({ alpha: '1.0.0', 'alpha > leaf': '3.0.0', leaf: '1.0.0' });
  expect(describe(before, after).slice(1)).toEqual(['changed leaf 2.0.0 -> 3.0.0']);
  expect(describe(before, side({ alpha: '1.0.0', leaf: '1.0.0' }))).toEqual([
    '1 removed',
    'removed leaf 2.0.0 (licence not stated)',
  ]);
});

test('a private copy beside a shared package is compared with private copies', () => {
  const before = side({ alpha: '1.0.0', 'alpha > leaf': '2.0.0' }, { leaf: '1.0.0' });
  const after = side({ alpha: '1.0.0', 'alpha > leaf': '2.1.0' }, { leaf: '1.1.0' });
  expect(describe(before, after).slice(1)).toEqual([
    "changed leaf core's 1.0.0 -> core's 1.1.0",
    'changed leaf 2.0.0 -> 2.1.0',
  ]);
});

test('the package-lock entry of a shared package does not count', () => {
  const before = side({ alpha: '1.0.0', leaf: { version: '1.0.0', license: 'MIT' } });
  const after = side({ alpha: '1.0.0', leaf: '1.0.0' }, { leaf: '1.0.0' });
  expect(describe(before, after).slice(1)).toEqual([
    "changed leaf 1.0.0 -> core's 1.0.0 (now shared with core)",
  ]);
});

test('the same version from another host, or with another digest, is a change', () => {
  const at = (resolved: string, integrity = 'sha512-a') =>
    side({ alpha: { version: '1.0.0', resolved, integrity } });
  const [one, other] = ['https://one.invalid/alpha.tgz', 'https://me:pw@other.invalid/alpha.tgz'];
  expect(describe(at(one), at(other)).slice(1)).toEqual([
    'changed alpha 1.0.0 (from other.invalid instead of one.invalid)',
  ]);
  expect(describe(at(one), side({ alpha: { version: '1.0.0', integrity: 'sha512-b' } }))).toEqual([
    '1 changed; another source: alpha',
    'changed alpha 1.0.0 (from the configured registry instead of one.invalid, another digest)',
  ]);
});

test('an alias has the name of its package; a package without a licence has none', () => {
  const after = side({
    alpha: { version: '1.1.0', hasInstallScript: true, license: { type: 'MIT' } },
    other: { name: '@real/name', version: '3.0.0', hasInstallScript: true, license: 'ISC' },
  });
  expect(describe(side({ alpha: '1.0.0' }), after)).toEqual([
    'alpha 1.0.0 -> 1.1.0; 1 added; new install script: @real/name, alpha; new licence: ISC',
    'added @real/name 3.0.0 (licence ISC, has an install script)',
    'changed alpha 1.0.0 -> 1.1.0 (new install script)',
  ]);
});

test('a new version is from another source if it has a recorded place and the old one had none, or the reverse', () => {
  const at = (version: string, place?: string) => ({
    ...side({ alpha: { version, integrity: `sha512-${version}` } }),
    places: { 'node_modules/alpha': place === undefined ? {} : { place } },
  });
  const placed = (version: string) => at(version, `alpha/-/alpha-${version}.tgz`);
  expect(describe(placed('1.0.0'), at('9.0.0'))).toEqual([
    'alpha 1.0.0 -> 9.0.0; another source: alpha',
    'changed alpha 1.0.0 -> 9.0.0 (no longer at a recorded place: check its registry in .npmrc)',
  ]);
  expect(describe(at('1.0.0'), placed('1.1.0')).slice(1)).toEqual([
    'changed alpha 1.0.0 -> 1.1.0 (now at a recorded place)',
  ]);
  expect(describe(placed('1.0.0'), placed('1.1.0'))[0]).toBe('alpha 1.0.0 -> 1.1.0');
  expect(describe(placed('1.0.0'), at('1.0.0'))).toEqual(['the same packages']);
});
