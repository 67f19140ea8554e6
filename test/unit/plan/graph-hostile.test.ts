/** Rejects files that are not a package-lock, and paths outside of node_modules. */
import { describe, expect, test } from 'vitest';
import { toRefusal } from '../../../src/base/error.ts';
import { readGraph } from '../../../src/plan/graph.ts';
import { refuseLock } from '../../support/lock.ts';

/** The clause about a lock that is rejected. */
function findProblem(lock: unknown): string {
  try {
    readGraph(lock, refuseLock);
    return 'none';
  } catch (error) {
    return toRefusal(error, () => refuseLock('another error')).reason;
  }
}

describe('a file that is not a lock', () => {
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
      'lists "0", which is not a package',
    ],
  ])('%s is refused', (_, lock, problem) => {
    expect(findProblem(lock)).toBe(problem);
  });

  test.each([
    ['null', null, 'has no data for node_modules/a'],
    ['a text', '1.0.0', 'has no data for node_modules/a'],
    ['an empty object', {}, 'has no version for node_modules/a'],
    ['a version that is a number', { version: 1 }, 'has no version for node_modules/a'],
    ['a version that is null', { version: null }, 'has no version for node_modules/a'],
    ['a link', { link: true, resolved: 'packages/a' }, 'lists node_modules/a as a link'],
    ['a link with a version', { link: true, version: '1.0.0' }, 'lists node_modules/a as a link'],
  ])('a package that is %s is refused', (_, locked, problem) => {
    expect(findProblem({ lockfileVersion: 3, packages: { 'node_modules/a': locked } })).toBe(
      problem,
    );
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
  ])('%j is not the path of a package', (path) => {
    const packages = { [path]: { version: '1.0.0' } };
    expect(findProblem({ lockfileVersion: 3, packages })).toBe(
      `lists ${JSON.stringify(path)}, which is not a package`,
    );
  });

  test('a path of a megabyte is refused at once', () => {
    const path = `${'node_modules/a/'.repeat(70_000)}!/`;
    const start = process.cpuUsage();
    expect(findProblem({ lockfileVersion: 3, packages: { [path]: {} } })).toContain(
      'not a package',
    );
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000);
  });
});
