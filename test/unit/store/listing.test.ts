/** The listing of an entry: written and parsed again for any names of files. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  composeFiles,
  composeListing,
  expectFiles,
  findNotGenerated,
  measureListings,
  parseFiles,
  sizeOf,
  toValue,
} from '../../../src/store/listing.ts';

const digest = '0123456789abcdef'.repeat(4);

const file = fc.string({
  unit: fc.constantFrom('a', 'n', '\n', '\t', '\\', ' ', 'é', '-', '>', 't'),
});
const files = fc.array(
  fc.tuple(
    file,
    fc.nat().map((size) => toValue(digest, size)),
  ),
  {
    maxLength: 8,
  },
);
const path = fc
  .array(fc.constantFrom('a', 'b', '@s/c', 'generated'), { minLength: 1, maxLength: 3 })
  .map((names) => names.map((name) => `node_modules/${name}`).join('/'));

const toMap = (list: Iterable<readonly [string, string]>) => new Map(list);

describe('a listing is parsed as it was written', () => {
  test('for any names of files', () => {
    const made = fc.dictionary(file, fc.constantFrom('', '-> a\tb\n', toValue(digest, 1)));
    fc.assert(
      fc.property(fc.dictionary(path, files), made, (packages, generated) => {
        const entries = Object.entries(packages);
        const listings = Object.fromEntries(
          entries.map(([name, list]) => [name, composeListing(toMap(list))]),
        );
        const read = parseFiles(composeFiles(listings, generated));
        expect(new Map(Object.entries(listings))).toEqual(read?.packages);
        expect(new Map(Object.entries(generated))).toEqual(read?.generated);
        if (read === undefined) return;
        const expected = expectFiles({ ...read, generated: new Map() });
        const all = entries.flatMap(([name, list]) =>
          [...toMap(list)].map(([below, value]) => [`${name}/${below}`, value] as const),
        );
        expect(Object.fromEntries(expected)).toEqual(Object.fromEntries(all));
      }),
    );
  });

  test('and has the size that its lock states', () => {
    const listing = composeListing([['é', toValue(digest, 1)]]);
    const packages = { 'node_modules/a': listing, 'node_modules/b': '' };
    const listed = { 'node_modules/a': Buffer.byteLength(listing), 'node_modules/b': 0 };
    const records = Object.entries(listed).map(([name, bytes]) => [name, { listed: bytes }]);
    const most = measureListings(Object.fromEntries(records));
    expect(Buffer.byteLength(composeFiles(packages, {}))).toBe(most);
  });
});

describe('anything else', () => {
  test.each([
    ['', 'nothing'],
    ['annex-files 1\n', 'another format'],
    ['{"format":2}', 'JSON'],
    [`annex-files 2\n${digest} 1\tindex.js\n`, 'a file of no package'],
    ['annex-files 2\nnode_modules/a', 'a path without its end'],
    ['annex-files 2\nnode_modules/a\nnode_modules/a\n', 'a package twice'],
  ])('%j: %s', (text) => {
    expect(parseFiles(text)).toBeUndefined();
  });

  test('is parsed in linear time and memory', () => {
    for (const line of ['node_modules/', '\n', '\t\n', `\ngenerated\n`]) {
      expect(() => parseFiles(`annex-files 2\n${line.repeat(2 ** 18)}`)).not.toThrow();
    }
  });
});

test('a size is a number of bytes after a digest', () => {
  expect(sizeOf(toValue(digest, 0))).toBe(0);
  expect(sizeOf(toValue(digest, 2 ** 40))).toBe(2 ** 40);
  for (const value of [
    '',
    digest,
    `${digest} `,
    `${digest} -1`,
    `${digest} 1e9`,
    '-> x',
    ` ${digest} 1`,
  ]) {
    expect(sizeOf(value), value).toBeNaN();
  }
});

describe('files that scripts can have made', () => {
  const closure = ['node_modules/a', 'node_modules/@s/b', 'node_modules/a/node_modules/c'].map(
    (path) => ({
      path,
      name: path.slice(path.lastIndexOf('node_modules/') + 13),
      version: '1.0.0',
    }),
  );
  const scripts = ['a', '@s/b'];
  const find = (path: string, value = '', names = scripts) =>
    findNotGenerated([[path, value]], closure, names);

  test.each([
    ['node_modules/a/build/x.node', toValue(digest, 1)],
    ['node_modules/@s/b/x', ''],
    ['node_modules/a/x', '-> build/x.node'],
    ['node_modules/a/x/y', '-> ../../@s/b/x'],
  ])('%s %s', (path, value) => {
    expect(find(path, value)).toBeUndefined();
    expect(find(path, value, [])).toBe(path);
  });

  test.each([
    ['node_modules/x/index.js', toValue(digest, 1)],
    ['node_modules/.bin/x', ''],
    ['node_modules/a', ''],
    ['node_modules/@s/x/index.js', ''],
    ['node_modules/a/node_modules/c/index.js', ''],
    ['node_modules/a/node_modules/d/index.js', ''],
    ['node_modules/a/lib/node_modules/d/index.js', ''],
    ['node_modules/a/node_modules/d.js', ''],
    ['node_modules/a/../x/index.js', ''],
    ['package.json', ''],
    ['index.js', ''],
    ['../node_modules/a/x', ''],
    ['__proto__', ''],
    ['node_modules/a/x', '-> /etc/passwd'],
    ['node_modules/a/x', '-> ../../package.json'],
    ['node_modules/a/x', '-> ../../../other/node_modules/a/x'],
  ])('not %s %s', (path, value) => {
    expect(find(path, value)).toBe(path);
  });
});
