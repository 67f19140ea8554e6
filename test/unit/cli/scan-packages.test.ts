/** What lists a requested package, and which strings name one. */
import { describe, expect, test } from 'vitest';
import {
  createMentionPattern,
  findListing,
  findRequestedName,
  findUsableRange,
  isShippedAs,
} from '../../../src/cli/scan/packages.ts';

describe('the listing of a package', () => {
  test('is the strongest key of all package.json files', () => {
    const near = { devDependencies: { pg: '^8.1.0' } };
    const core = { dependencies: { pg: '^8.0.0' }, devDependencies: { pg: '^7.0.0' } };
    expect(findListing('pg', [near])).toEqual({ listedIn: 'devDependencies', range: '^8.1.0' });
    expect(findListing('pg', [near, core])).toEqual({ listedIn: 'dependencies', range: '^8.0.0' });
  });

  test('tells optional peers from others', () => {
    const peerDependencies = { a: '1', b: '2' };
    const peerDependenciesMeta = { a: { optional: true }, b: { optional: false } };
    const manifests = [{ peerDependencies, peerDependenciesMeta, devDependencies: { a: '3' } }];
    expect(findListing('a', manifests).listedIn).toBe('optional peerDependencies');
    expect(findListing('b', manifests).listedIn).toBe('peerDependencies');
  });

  test('is unknown without one, and where the keys have other values', () => {
    expect(findListing('pg', [])).toEqual({ listedIn: 'unknown' });
    expect(findListing('pg', [{ dependencies: 'pg' }])).toEqual({ listedIn: 'unknown' });
    expect(findListing('toString', [{ dependencies: {} }])).toEqual({ listedIn: 'unknown' });
    expect(findListing('pg', [{ dependencies: { pg: null } }])).toEqual({
      listedIn: 'dependencies',
    });
  });
});

test('dependencies, optional ones, required peers and builtins are shipped', () => {
  const shipped = ['builtin', 'dependencies', 'optionalDependencies', 'peerDependencies'] as const;
  const others = ['devDependencies', 'optional peerDependencies', 'unknown'] as const;
  expect(shipped.filter(isShippedAs)).toEqual(shipped);
  expect(others.filter(isShippedAs)).toEqual([]);
});

test('a range is usable as semver alone', () => {
  const listedIn = 'devDependencies';
  for (const range of ['^1.0.0', '>=1 <3', '*', '1.x || 2']) {
    expect(findUsableRange({ listedIn, range })).toBe(range);
  }
  for (const range of ['', ' ', 'latest', 'workspace:*', 'file:../a', 'npm:b@1', 'owner/name']) {
    expect(findUsableRange({ listedIn, range })).toBeUndefined();
  }
  expect(findUsableRange({ listedIn: 'unknown' })).toBeUndefined();
});

test('paths, URLs, internal names and aliases name no package', () => {
  const texts = ['./a', '../a', '/a', 'file:///a', 'https://h/a', '#a', '@/a', '~/a', '@scope', ''];
  expect(texts.filter((text) => findRequestedName(text) !== undefined)).toEqual([]);
  expect(findRequestedName('exa-js/client')).toBe('exa-js');
  expect(findRequestedName('@scope/name/sub')).toBe('@scope/name');
});

test('a whole string names a package, with or without a subpath', () => {
  const find = (text: string): (string | undefined)[] =>
    [...text.matchAll(createMentionPattern(['exa-js', 'db.pg']))].map(([, , name]) => name);
  expect(find(`'exa-js' "exa-js/client" \`db.pg\``)).toEqual(['exa-js', 'exa-js', 'db.pg']);
  expect(find(`'exa-js2' 'my-exa-js' exa-js 'dbxpg' 'exa-js"`)).toEqual([]);
});
