/** A listing that is searched gives what the parsed listing has. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createListed } from '../../../src/store/listed.ts';
import {
  canBypassLoader,
  composeListing,
  expectFiles,
  listNatives,
  toValue,
} from '../../../src/store/listing.ts';

const value = toValue('0123456789abcdef'.repeat(4), 7);
// No name is that of a file and of a directory.
const directory = fc.constantFrom('a', 'é', 'x\ty', 'b.js.d');
const file = fc.constantFrom('b.js', 'c', 'è', 'p\\q', 'LICENSE', 'l.so.1', 'm.node');
const path = fc
  .tuple(fc.array(directory, { maxLength: 2 }), file)
  .map(([above, name]) => [...above, name].join('/'));
const owners = ['node_modules/a', 'node_modules/a/node_modules/b', 'node_modules/@s/c'];
const listings = fc.tuple(...owners.map(() => fc.uniqueArray(path, { maxLength: 9 })));
const generated = fc.dictionary(
  path.map((below) => `node_modules/a/${below}`),
  fc.constantFrom('', '-> b.js', value),
);

test('for any names of files, and any work of scripts', () => {
  fc.assert(
    fc.property(listings, generated, path, (lists, made, other) => {
      const packages = new Map(
        lists.map((names, at) => [
          owners[at] ?? '',
          composeListing(names.map((each) => [each, value] as const)),
        ]),
      );
      const files = { packages, generated: new Map(Object.entries(made)) };
      const listed = createListed(files);
      const expected = expectFiles(files);
      const asked = [...expected.keys(), ...owners.map((owner) => `${owner}/${other}`)];
      for (const each of asked) {
        expect(listed.find(each)).toBe(expected.get(each));
        const isAbove = [...expected.keys()].some((file) => file.startsWith(`${each}/`));
        expect(listed.hasDirectory(each)).toBe(isAbove);
      }
      const all = owners.flatMap((owner) => listed.listPackage(owner));
      expect(Object.fromEntries(all)).toEqual(Object.fromEntries(expected));
      const natives = [...expected].filter(([file]) => canBypassLoader(file));
      expect(Object.fromEntries(listNatives(files))).toEqual(Object.fromEntries(natives));
    }),
  );
});
