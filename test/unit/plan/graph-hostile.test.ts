/** Package-locks that are none, and paths that lead elsewhere. */
import { describe, expect, test } from 'vitest';
import { readGraph } from '../../../src/plan/graph.ts';

describe('a file that is no lock', () => {
  const PACKAGES = { 'node_modules/a': { version: '1.0.0' } };
  test.each([
    ['nothing', undefined, 'is a package-lock of version undefined, not of 3'],
    ['null', null, 'is a package-lock of version undefined, not of 3'],
    ['a number', 3, 'is a package-lock of version undefined, not of 3'],
    ['a list', [], 'is a package-lock of version undefined, not of 3'],
    [
      'of version 1',
      { lockfileVersion: 1, dependencies: {} },
      'is a package-lock of version 1, not of 3',
    ],
    [
      'of version 2',
      { lockfileVersion: 2, packages: PACKAGES },
      'is a package-lock of version 2, not of 3',
    ],
    [
      'of version "3"',
      { lockfileVersion: '3', packages: [] },
      'is a package-lock of version 3, not of 3',
    ],
    [
      'of version 4',
      { lockfileVersion: 4, packages: PACKAGES },
      'is a package-lock of version 4, not of 3',
    ],
    ['without packages', { lockfileVersion: 3 }, 'lists no packages'],
    ['with null as packages', { lockfileVersion: 3, packages: null }, 'lists no packages'],
    ['with a text as packages', { lockfileVersion: 3, packages: 'a' }, 'lists no packages'],
    [
      'with a list as packages',
      { lockfileVersion: 3, packages: [{}] },
      'holds "0", which is no package',
    ],
  ])('%s is refused', (_, lock, problem) => {
    expect(readGraph(lock)).toEqual({ problem });
  });

  test.each([
    ['null', null, 'says nothing of node_modules/a'],
    ['a text', '1.0.0', 'says nothing of node_modules/a'],
    ['an empty object', {}, 'gives no version of node_modules/a'],
    ['a version that is a number', { version: 1 }, 'gives no version of node_modules/a'],
    ['a version that is null', { version: null }, 'gives no version of node_modules/a'],
    ['a link', { link: true, resolved: 'packages/a' }, 'holds node_modules/a as a link'],
    ['a link with a version', { link: true, version: '1.0.0' }, 'holds node_modules/a as a link'],
  ])('a package that is %s is refused', (_, locked, problem) => {
    expect(readGraph({ lockfileVersion: 3, packages: { 'node_modules/a': locked } })).toEqual({
      problem,
    });
  });

  test.each([
    'packages/app',
    '/etc',
    '/node_modules/a',
    'node_modules/anode_modules/b',
    '../node_modules/a',
    'node_modules',
    'node_modules/',
    'node_modules/..',
    'node_modules/.',
    'node_modules/../../etc',
    'node_modules/a/..',
    'node_modules/a/../../b',
    'node_modules/.bin',
    'node_modules/.package-lock.json',
    'node_modules/a/b',
    'node_modules/a/',
    'node_modules//a',
    'node_modules/@a',
    'node_modules/@a/',
    'node_modules/@a/..',
    'node_modules/@a/b/c',
    'node_modules/@../a',
    'node_modules/@./a',
    'node_modules/@a/node_modules',
    'node_modules/@a/node_modules/b',
    'node_modules/node_modules',
    'node_modules/node_modules/a',
    'node_modules/a/node_modules',
    'node_modules/a/node_modules/..',
    'node_modules/a/node_modules/../../../b',
    'node_modules\\a',
    'node_modules/a\\..\\b',
    'node_modules/a\u0000',
    'node_modules/a\n',
    'node_modules/a b',
    'node_modules/a:b',
    'node_modules/a%2e',
    'C:/node_modules/a',
    'file:node_modules/a',
    'constructor',
  ])('%j is the path of no package', (path) => {
    const packages = { [path]: { version: '1.0.0' } };
    expect(readGraph({ lockfileVersion: 3, packages })).toEqual({
      problem: `holds ${JSON.stringify(path)}, which is no package`,
    });
  });

  test('a path of a megabyte is refused at once', () => {
    const path = `${'node_modules/a/'.repeat(70_000)}!/`;
    const start = performance.now();
    expect(readGraph({ lockfileVersion: 3, packages: { [path]: {} } })).toHaveProperty('problem');
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
