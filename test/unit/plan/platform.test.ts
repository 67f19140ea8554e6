/** Packages of a closure that a platform needs. */
import { describe, expect, test } from 'vitest';
import { parsePlatform } from '../../../src/base/platform.ts';
import { isPlatformBound, select } from '../../../src/plan/platform.ts';
import { type Locked, makePlan } from '../../support/lock.ts';
import { choose, LINUX, listNames } from '../../support/selection.ts';

describe('the name of a platform', () => {
  test.each([
    ['linux-x64-glibc', { os: 'linux', cpu: 'x64', libc: 'glibc' }],
    ['linux-arm64-musl', { os: 'linux', cpu: 'arm64', libc: 'musl' }],
    ['darwin-arm64', { os: 'darwin', cpu: 'arm64' }],
    ['win32-x64', { os: 'win32', cpu: 'x64' }],
  ])('%s is parsed', (name, platform) => {
    expect(parsePlatform(name)).toEqual(platform);
  });

  test.each([
    '',
    'linux',
    'any',
    'linux-x64',
    'darwin-arm64-glibc',
    'linux-x64-uclibc',
    'linux-x64-glibc-2',
    'Linux-x64-glibc',
    '-x64',
    'linux--glibc',
    ' darwin-arm64',
    'darwin-arm64\n',
  ])('%j is not a platform', (name) => {
    expect(parsePlatform(name)).toBeUndefined();
  });
});

describe('a closure', () => {
  const feature = (optional: string[], dependencies: Record<string, string> = {}): Locked => ({
    version: '1.0.0',
    dependencies,
    optionalDependencies: Object.fromEntries(optional.map((name) => [name, '*'])),
  });
  const needing = (...needed: string[]): Locked => ({
    version: '1.0.0',
    dependencies: Object.fromEntries(needed.map((name) => [name, '*'])),
  });
  const DARWIN = { version: '1.0.0', os: ['darwin'] };

  test('leaves out an optional package for another platform with its dependencies', () => {
    const made = makePlan({
      lock: {
        feature: feature(['wasm']),
        wasm: { version: '1.0.0', cpu: ['wasm32'], dependencies: { runtime: '*' } },
        runtime: needing('tslib'),
        tslib: '1.0.0',
      },
    });
    expect(choose(made)).toEqual({ nodes: ['feature'], unsupported: undefined });
  });

  test('leaves out an optional package that needs one for another platform', () => {
    const made = makePlan({
      lock: {
        feature: feature(['a', 'c']),
        a: needing('b'),
        b: needing('d'),
        d: DARWIN,
        c: needing('b'),
      },
    });
    expect(choose(made).nodes).toEqual(['feature']);
    expect(choose(made, { os: 'darwin', cpu: 'arm64' }).nodes).toEqual([
      'a',
      'b',
      'c',
      'd',
      'feature',
    ]);
  });

  test('keeps a dependency that other packages need too', () => {
    const made = makePlan({
      lock: { feature: feature(['a'], { b: '*' }), a: needing('b', 'd'), b: '1.0.0', d: DARWIN },
    });
    expect(choose(made).nodes).toEqual(['b', 'feature']);
  });

  test('keeps an optional package whose own optional one is for another platform', () => {
    const made = makePlan({ lock: { feature: feature(['a']), a: feature(['d']), d: DARWIN } });
    expect(choose(made).nodes).toEqual(['a', 'feature']);
  });

  test('that needs a package for another platform is not supported, and the package is named', () => {
    const made = makePlan({
      lock: { feature: feature([], { z: '*', a: '*' }), z: DARWIN, a: needing('d'), d: DARWIN },
    });
    expect(choose(made).unsupported).toBe('d');
    expect(choose(made, { os: 'darwin', cpu: 'arm64' }).unsupported).toBeUndefined();
  });

  test('that is itself for another platform is not supported', () => {
    expect(choose(makePlan({ lock: { feature: DARWIN } })).unsupported).toBe('feature');
  });

  test('with one package both as needed and as optional needs it', () => {
    const made = makePlan({
      lock: { feature: feature(['d'], { a: '*' }), a: needing('d'), d: DARWIN },
    });
    expect(choose(made).unsupported).toBe('d');
  });

  test('takes a package in both lists as optional, like npm', () => {
    const made = makePlan({ lock: { feature: feature(['d'], { d: '*' }), d: DARWIN } });
    expect(choose(made)).toEqual({ nodes: ['feature'], unsupported: undefined });
  });

  test('counts a peer as needed, and does not follow an optional peer', () => {
    const peers = { version: '1.0.0', peerDependencies: { d: '*' } };
    const made = makePlan({ lock: { feature: feature([], { a: '*' }), a: peers, d: DARWIN } });
    expect(choose(made).unsupported).toBe('d');
    const welcome = { ...peers, peerDependenciesMeta: { d: { optional: true } } };
    const other = makePlan({
      lock: { feature: feature(['d'], { a: '*' }), a: welcome, d: DARWIN },
    });
    expect(choose(other)).toEqual({ nodes: ['a', 'feature'], unsupported: undefined });
  });

  test('may have cycles of optional packages', () => {
    const made = makePlan({
      lock: {
        feature: feature(['a']),
        a: needing('b'),
        b: feature(['a', 'c']),
        c: needing('a', 'd'),
        d: DARWIN,
      },
    });
    expect(choose(made).nodes).toEqual(['a', 'b', 'feature']);
  });

  test('leaves out optional packages for another Node, and lists them; needed ones stay', () => {
    const old = { version: '1.0.0', engines: { node: '<10' } };
    const made = makePlan({
      lock: {
        feature: feature(['a'], { kept: '*' }),
        a: needing('old', 'fine'),
        old,
        fine: '1.0.0',
        kept: old,
      },
    });
    expect(choose(made)).toEqual({
      nodes: ['feature', 'kept'],
      unsupported: undefined,
    });
    expect(listNames(select(made, LINUX).nodes)).toEqual(['a', 'feature', 'fine', 'kept', 'old']);
  });

  test('has parents before nested packages', () => {
    const made = makePlan({
      lock: { feature: needing('a-b', 'a'), a: needing('c'), 'a > c': '1.0.0', 'a-b': '1.0.0' },
    });
    const paths = select(made, LINUX).nodes.map(({ path }) => path);
    for (const path of paths) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/')));
      if (parent !== '') expect(paths.indexOf(parent)).toBeLessThan(paths.indexOf(path));
    }
  });

  test('is bound to platforms when any package of it is', () => {
    expect(isPlatformBound(makePlan({ lock: { feature: feature(['d']), d: DARWIN } }))).toBe(true);
    expect(
      isPlatformBound(makePlan({ lock: { feature: { version: '1.0.0', libc: 'musl' } } })),
    ).toBe(true);
    expect(
      isPlatformBound(makePlan({ lock: { feature: feature(['d']), d: '1.0.0', stray: DARWIN } })),
    ).toBe(false);
  });
});
