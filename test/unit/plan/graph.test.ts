/** Packages and edges of a package-lock. */
import { describe, expect, test } from 'vitest';
import {
  findDependency,
  isInstallable,
  type LockGraph,
  readGraph,
} from '../../../src/plan/graph.ts';
import { type Locked, makeLock, refuseLock } from '../../support/lock.ts';

const read = (lock: unknown): LockGraph => readGraph(lock, refuseLock);

/** Edges in lines: `node_modules/a dependency b ^1.0.0 -> node_modules/b`. */
const listEdges = (lock: Record<string, Locked>): string[] =>
  [...read(makeLock(lock)).values()].flatMap(({ edges }) =>
    edges.map(({ from, kind, name, range, to = 'nobody' }) =>
      `${from} ${kind} ${name} ${range} -> ${to}`.replaceAll('node_modules/', ''),
    ),
  );

describe('a name', () => {
  test.each([
    'a',
    '@a/b',
    'JSONStream',
    'a.b',
    'a~b',
    "it's!",
    'a(b)*',
    '-',
    '_',
    '0',
    '__proto__',
  ])('%j is allowed in node_modules, as by npm', (name) => {
    expect(isInstallable(name)).toBe(true);
    expect([...read(makeLock({ [name]: '1.0.0' })).keys()]).toEqual([`node_modules/${name}`]);
  });

  test.each(['', '.', '..', '../a', '/a', 'a/b', '@a', '@a/b/c', 'a/node_modules/b', '.bin'])(
    '%j is not allowed in node_modules',
    (name) => {
      expect(isInstallable(name)).toBe(false);
    },
  );
});

describe('a package', () => {
  test('keeps its known fields of the lock, and no others', () => {
    const lock = makeLock({
      sharp: {
        name: '@acme/sharp',
        version: '1.0.0',
        resolved: 'https://registry.example/sharp.tgz',
        integrity: 'sha512-AAAA',
        os: ['linux'],
        cpu: 'x64',
        libc: ['glibc'],
        engines: { node: '>=20', npm: '*' },
        inBundle: true,
        license: 'MIT',
        bin: { sharp: 'cli.js' },
      },
    });
    expect([...read(lock).values()]).toEqual([
      {
        path: 'node_modules/sharp',
        name: '@acme/sharp',
        version: '1.0.0',
        resolved: 'https://registry.example/sharp.tgz',
        integrity: 'sha512-AAAA',
        os: ['linux'],
        cpu: ['x64'],
        libc: ['glibc'],
        engine: '>=20',
        isBundled: true,
        edges: [],
      },
    ]);
  });

  test('drops fields of the wrong type', () => {
    const odd = {
      version: '1.0.0',
      name: 7,
      resolved: {},
      integrity: false,
      os: null,
      cpu: {},
      libc: 1,
      engines: null,
      inBundle: 1,
      dependencies: null,
      optionalDependencies: null,
      peerDependencies: null,
      peerDependenciesMeta: null,
    };
    expect([...read(makeLock({ odd })).values()]).toEqual([
      {
        path: 'node_modules/odd',
        name: 'odd',
        version: '1.0.0',
        isBundled: false,
        edges: [],
      },
    ]);
  });

  test('is not made for the root project', () => {
    const lock = makeLock({ a: '1.0.0' });
    const packages = { '': { dependencies: { a: '*' } }, ...lock.packages };
    expect([...read({ ...lock, packages }).keys()]).toEqual(['node_modules/a']);
  });
});

describe('an edge', () => {
  test('has the kind of its list', () => {
    const lock = {
      a: {
        version: '1.0.0',
        dependencies: { b: '^1' },
        optionalDependencies: { c: '^2' },
        peerDependencies: { d: '^3', e: '^4', f: '^5' },
        peerDependenciesMeta: {
          e: { optional: true },
          f: { optional: 'yes' },
          g: { optional: true },
        },
        devDependencies: { h: '*' },
      },
    };
    expect(listEdges(lock)).toEqual([
      'a peer d ^3 -> nobody',
      'a optional peer e ^4 -> nobody',
      'a peer f ^5 -> nobody',
      'a dependency b ^1 -> nobody',
      'a optional c ^2 -> nobody',
    ]);
  });

  test('of a name in several lists has the kind of the first of: optional, dependency, peer', () => {
    const lists = (one: string, ...others: string[]): Locked =>
      Object.assign(
        { version: '1.0.0', peerDependenciesMeta: { b: { optional: true } } },
        ...[one, ...others].map((list) => ({ [list]: { b: `in ${list}` } })),
      );
    const all = ['peerDependencies', 'dependencies', 'optionalDependencies'] as const;
    expect(listEdges({ a: lists(...all) })).toEqual([
      'a optional b in optionalDependencies -> nobody',
    ]);
    expect(listEdges({ a: lists(all[0], all[1]) })).toEqual([
      'a dependency b in dependencies -> nobody',
    ]);
    expect(listEdges({ a: lists(all[0]) })).toEqual([
      'a optional peer b in peerDependencies -> nobody',
    ]);
  });

  test('leads to the nearest package of that name, by the rules of node_modules', () => {
    const asks: Locked = { version: '1.0.0', dependencies: { x: '*' } };
    const lock = {
      a: asks,
      'a > x': asks,
      'a > b': asks,
      'a > b > c': asks,
      '@s/d': asks,
      '@s/d > @s/e': asks,
      '@s/d > @s/e > x': '1.0.0',
      x: '1.0.0',
    };
    expect(listEdges(lock)).toEqual([
      'a dependency x * -> a/x',
      'a/x dependency x * -> a/x',
      'a/b dependency x * -> a/x',
      'a/b/c dependency x * -> a/x',
      '@s/d dependency x * -> x',
      '@s/d/@s/e dependency x * -> @s/d/@s/e/x',
    ]);
  });

  test('does not lead to a package whose name only has the same beginning', () => {
    const lock = {
      'a-b': { version: '1.0.0', dependencies: { a: '*' } },
      'a > a-b': '1.0.0',
      'aa > a': '1.0.0',
    };
    expect(listEdges(lock)).toEqual(['a-b dependency a * -> nobody']);
  });

  test('from the root leads to the package at the top', () => {
    const graph = read(makeLock({ a: '1.0.0', 'b > c': '1.0.0' }));
    expect(['a', 'b', 'c'].map((name) => findDependency(graph, '', name))).toEqual([
      'node_modules/a',
      undefined,
      undefined,
    ]);
  });

  test('has its range as a string, even if the lock does not', () => {
    const dependencies = { b: 1, c: null, __proto__: null } as never;
    expect(listEdges({ a: { version: '1.0.0', dependencies } })).toEqual([
      'a dependency b 1 -> nobody',
      'a dependency c null -> nobody',
    ]);
  });
});
