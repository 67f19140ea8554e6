/** Paths of file URLs, with Node's function as the oracle. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { toFile } from '../../../src/resolve/destination.ts';

test.each([
  'file:///data/v1/any/kit.abc.0/node_modules/@scope/kit/index.js',
  'file:///a',
  'file:///',
  'file:///a/',
  'file:///a//b',
  'file:///a/./b',
  'file:///a/../b',
  'file:///a/.b/..c',
  'file:///a/b.',
  'file:///a/b..c~1+2,3@4',
  'file:///a%20b/%C3%A4',
  'file:///ä',
  'file:///a b',
  'file:///a\tb',
  'file:///a\n',
  'file:///a\\b',
  'file:/a/b',
  'file:a',
  'file://localhost/a',
  'file:///a;b=c&d',
])('%j is the path that Node finds', (url) => {
  expect(toFile(url)).toBe(fileURLToPath(url));
});

test.each(['file:///a/b.js?v=1', 'file:///a/b.js#c', 'file:///a/b.js?c#d'])(
  '%s is the path without query and hash',
  (url) => {
    expect(toFile(url)).toBe('/a/b.js');
  },
);

test.each([undefined, 'node:fs', 'data:text/javascript,', 'https://host/a', 'file://host/a'])(
  '%s is no path',
  (url) => {
    expect(toFile(url)).toBeUndefined();
  },
);
