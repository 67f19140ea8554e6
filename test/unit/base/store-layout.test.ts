/** Paths in a store: slugs, names of entries, and the entry that contains a file. */
import { expect, test } from 'vitest';
import {
  abiRoot,
  entryOf,
  isWithin,
  parseEntryName,
  relativeTo,
  stagingRoot,
  toEntryName,
  toSlug,
  versionRoot,
} from '../../../src/base/store-layout.ts';

const id = '0123456789abcdef0123456789abcdef';

test.each([
  ['exa-js', 'exa-js'],
  ['search.exa', 'search.exa'],
  ['@mendable/firecrawl-js', 'mendable-firecrawl-js'],
  ['Search Exa', 'search-exa'],
  ['../../etc/passwd', 'etc-passwd'],
  ['..', 'feature'],
  ['.hidden', 'hidden'],
  ['-', 'feature'],
  ['', 'feature'],
  ['ü', 'feature'],
  ['a\\b:c\0d', 'a-b-c-d'],
  ['a'.repeat(80), 'a'.repeat(60)],
])('the slug of %j is %j', (feature, slug) => {
  expect(toSlug(feature)).toBe(slug);
});

test('every path is below the directory of the format version', () => {
  const store = '/data/annex';
  const paths = [abiRoot(store, 'any'), stagingRoot(store)];
  expect(versionRoot(store)).toBe('/data/annex/v1');
  expect(paths).toEqual(['/data/annex/v1/any', '/data/annex/v1/staging']);
});

test.each([
  { slug: 'exa-js', id, nonce: '0' },
  { slug: 'search.exa.0', id, nonce: 'z9' },
  { slug: `a.${id}.0`.slice(0, 60), id, nonce: 'abcdefghij012345' },
])('the name of the entry $slug is parsed back to its parts', (name) => {
  expect(parseEntryName(toEntryName(name))).toEqual(name);
});

test.each([
  ['without a nonce', `exa-js.${id}`],
  ['with an empty nonce', `exa-js.${id}.`],
  ['with a long nonce', `exa-js.${id}.${'0'.repeat(17)}`],
  ['with a short id', `exa-js.${id.slice(1)}.0`],
  ['with capitals', `Exa-js.${id}.0`],
  ['with a long slug', `${'a'.repeat(61)}.${id}.0`],
  ['without a slug', `.${id}.0`],
  ['with a path', `a/b.${id}.0`],
  ['with a line break', `exa-js.${id}.0\n`],
  ['of a staging directory', 'exa-js-Xy12'],
  ['of a manifest', 'package.json'],
])('a directory name %s is not an entry', (_what, name) => {
  expect(parseEntryName(name)).toBeUndefined();
});

const entry = `/data/annex/v1/any/exa-js.${id}.0`;
test.each([
  ['the entry itself', entry, entry],
  ['its package.json', `${entry}/package.json`, entry],
  ['a file deep in it', `${entry}/node_modules/a/node_modules/b/c.js`, entry],
  ['another ABI', `/data/annex/v1/node137-linux-x64-glibc/a.${id}.0/b.js`, undefined],
  ['a directory of an ABI', '/data/annex/v1/any', undefined],
  ['a package planted above', '/data/annex/v1/any/node_modules/exa-js/index.js', undefined],
  ['a staging directory', '/data/annex/v1/staging/exa-js-Xy/index.js', undefined],
  ['another format', `/data/annex/v2/any/exa-js.${id}.0/index.js`, undefined],
  ['another store', `/data/annex-2/v1/any/exa-js.${id}.0/index.js`, undefined],
  ['a file of the store', '/data/annex/index.js', undefined],
])('the entry of %s', (what, file, expected) => {
  const other = `/data/annex/v1/node137-linux-x64-glibc/a.${id}.0`;
  expect(entryOf(file, versionRoot('/data/annex'))).toBe(what === 'another ABI' ? other : expected);
});

test.each([
  ['/a', '/a', true],
  ['/a/b', '/a', true],
  ['/ab', '/a', false],
  ['/', '/a', false],
  ['/a', '/', true],
  ['/', '/', true],
])('%s within %s: %s', (path, dir, expected) => {
  expect(isWithin(path, dir)).toBe(expected);
});

test('a path below the root is made relative to it', () => {
  expect(relativeTo('/app', '/app/src/a.js')).toBe('src/a.js');
  expect(relativeTo('/app', '/app-other/a.js')).toBe('/app-other/a.js');
  expect(relativeTo('/', '/a.js')).toBe('a.js');
});
