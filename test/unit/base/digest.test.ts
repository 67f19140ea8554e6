/** Digests as registries list them. */
import { expect, test } from 'vitest';
import { computeIntegrity, isStrong, readDigests } from '../../../src/base/digest.ts';

test.each([
  ['sha512-a', 'sha512', ['sha512-a']],
  ['sha1-a sha512-b?size=1\n sha384-c sha512-d', 'sha512', ['sha512-b', 'sha512-d']],
  ['sha1-a sha384-b', 'sha384', ['sha384-b']],
  ['md5-a sha256-b', 'sha256', ['sha256-b']],
  ['sha1-a', 'sha1', ['sha1-a']],
])('of %j only the strongest counts', (integrity, algorithm, all) => {
  expect(readDigests(integrity)).toEqual({ algorithm, all });
});

test.each([undefined, '', 'md5-a', 'sha512', 'SHA512-a', '__proto__-a'])(
  '%j contains no digest',
  (text) => {
    expect(readDigests(text)).toBeUndefined();
  },
);

test('a sha384 or better is strong', () => {
  const strong = ['sha512-a', 'sha384-a', 'sha256-a', 'sha1-a', ''].map((text) =>
    isStrong(readDigests(text)),
  );
  expect(strong).toEqual([true, true, false, false, false]);
});

test('a digest keeps its spelling', () => {
  expect(computeIntegrity(Buffer.from(''), 'sha1')).toBe('sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=');
});
