/** Places of tarballs: the part of a URL that a lock records, and its URL on another registry. */
import { expect, test } from 'vitest';
import { addressOf, placeOf } from '../../../src/registry/tarball-url.ts';

const registry = 'https://corp.example/api/npm/';

test.each([
  ['https://corp.example/api/npm/download/@a/b/1.0.0/f00d', 'download/@a/b/1.0.0/f00d'],
  ['https://corp.example/files/a.tgz', '/files/a.tgz'],
  ['http://corp.example/api/npm/a.tgz', 'a.tgz'],
  ['https://corp.example/api/npm/@a%2fb/a.tgz', '@a%2fb/a.tgz'],
  ['https://corp.example/api/npm/', '/api/npm/'],
  ['https://corp.example/api/npm/a.tgz?token=s3cret', undefined],
  ['https://corp.example:8443/api/npm/a.tgz', undefined],
  ['https://other.example/api/npm/a.tgz', undefined],
  ['nonsense', undefined],
])('the place of %s is %s', (address, place) => {
  expect(placeOf(address, registry)).toBe(place);
});

test.each([
  ['download/a', 'https://corp.example/api/npm/download/a'],
  ['/files/a.tgz', 'https://corp.example/files/a.tgz'],
  ['../a.tgz', 'https://corp.example/api/a.tgz'],
  ['//other.example/a.tgz', undefined],
  ['\\\\other.example\\a.tgz', undefined],
  ['https://other.example/a.tgz', undefined],
  ['http://corp.example/api/npm/a.tgz', undefined],
  ['file:///etc/passwd', undefined],
  ['//', undefined],
])('the URL of the place %s is %s', (place, address) => {
  expect(addressOf(place, registry)).toBe(address);
});

test('a registry that is not a URL has no places', () => {
  expect(placeOf('https://corp.example/a', 'nonsense/')).toBeUndefined();
  expect(addressOf('a', 'nonsense/')).toBeUndefined();
});
