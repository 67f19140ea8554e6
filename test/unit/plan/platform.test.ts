/** What belongs on a platform: npm's own checks and npm's own installs are the measure. */
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGraph } from '../../../src/plan/graph.ts';
import { type Plan, plan } from '../../../src/plan/plan.ts';
import {
  isPlatformBound,
  type Platform,
  parsePlatform,
  select,
} from '../../../src/plan/platform.ts';
import { isInRange } from '../../../src/ranges.ts';
import { type Locked, makePlan, RANGES } from '../../support/lock.ts';
import { findNpm } from '../../support/npm.ts';
import { repositoryRoot } from '../../support/package.ts';

const LINUX: Platform = { os: 'linux', cpu: 'x64', libc: 'glibc' };

const names = (nodes: { path: string }[]): string[] =>
  nodes.map(({ path }) => path.replaceAll('node_modules/', '').replaceAll('/node', ' > node'));

/** Short names of what is selected, of what is left out for this Node, and what is needed and unfit. */
function choose(made: Plan, platform: Platform = LINUX, node = '22.15.0') {
  const { nodes, skipped, unsupported } = select(made, platform, (range) => isInRange(node, range));
  return { nodes: names(nodes), skipped: names(skipped), unsupported: unsupported?.name };
}

describe('the name of a platform', () => {
  test.each([
    ['linux-x64-glibc', { os: 'linux', cpu: 'x64', libc: 'glibc' }],
    ['linux-arm64-musl', { os: 'linux', cpu: 'arm64', libc: 'musl' }],
    ['darwin-arm64', { os: 'darwin', cpu: 'arm64' }],
    ['win32-x64', { os: 'win32', cpu: 'x64' }],
  ])('%s is read', (name, platform) => {
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
  ])('%j is none', (name) => {
    expect(parsePlatform(name)).toBeUndefined();
  });
});

describe('one package', () => {
  interface Checks {
    checkPlatform(target: object, force: boolean, environment: object): void;
    checkEngine(target: object, npm: undefined, node: string): void;
  }
  const npm = realpathSync(findNpm());
  const checks = createRequire(npm)('npm-install-checks') as Checks;
  const isRefused = (check: () => void): boolean => {
    try {
      check();
      return false;
    } catch (error) {
      expect((error as { code?: string }).code).toMatch(/^EBAD(PLATFORM|ENGINE)$/);
      return true;
    }
  };
  const isSelected = (locked: object, platform: Platform, node?: string): boolean => {
    const made = makePlan({
      lock: {
        feature: { version: '1.0.0', optionalDependencies: { bound: '*' } },
        bound: { version: '1.0.0', ...locked },
      },
    });
    return choose(made, platform, node).nodes.includes('bound');
  };

  const LISTS = [
    undefined,
    null,
    'linux',
    '!linux',
    '',
    [],
    ['any'],
    'any',
    ['any', 'darwin'],
    ['linux'],
    ['darwin', 'linux'],
    ['darwin'],
    ['!linux'],
    ['!darwin'],
    ['!darwin', '!win32'],
    ['!darwin', 'win32'],
    ['!linux', 'linux'],
    ['linux', '!linux'],
    ['!any'],
    ['Linux'],
  ];
  const PLATFORMS: Platform[] = [
    LINUX,
    { os: 'darwin', cpu: 'arm64' },
    { os: 'win32', cpu: 'x64' },
  ];

  test.each(LISTS)('os: %j is read as npm reads it', (os) => {
    for (const platform of PLATFORMS) {
      const refused = isRefused(() => checks.checkPlatform({ os }, false, platform));
      expect(isSelected({ os }, platform), platform.os).toBe(!refused);
    }
  });

  test.each([undefined, 'x64', ['x64'], ['!x64'], ['arm64', 'arm'], ['any'], ['!arm64'], ''])(
    'cpu: %j is read as npm reads it',
    (cpu) => {
      for (const platform of PLATFORMS) {
        const refused = isRefused(() => checks.checkPlatform({ cpu }, false, platform));
        expect(isSelected({ cpu }, platform), platform.cpu).toBe(!refused);
      }
    },
  );

  test.each([undefined, 'glibc', ['glibc'], ['musl'], ['!musl'], ['!glibc'], ['any'], [], ''])(
    'libc: %j is read as npm reads it, and only Linux has one',
    (libc) => {
      for (const platform of [...PLATFORMS, { ...LINUX, libc: 'musl' }]) {
        const isRefusedByNpm = isRefused(() => checks.checkPlatform({ libc }, false, platform));
        // Without a libc named npm would look at the machine that it runs on.
        const isOpen = libc === undefined || libc === '';
        const expected = platform.libc === undefined ? isOpen : !isRefusedByNpm;
        expect(isSelected({ libc }, platform), JSON.stringify(platform)).toBe(expected);
      }
    },
  );

  test.each([
    undefined,
    '*',
    '',
    '>=20',
    '>=24',
    '^20.19.0 || >=22.15.0',
    '<0.10',
    'any nonsense',
    '>= 0.8.x',
  ])('engines.node: %j is read as npm reads it', (node) => {
    const engines = { node };
    for (const running of ['20.19.0', '22.15.0', '26.10.0']) {
      const refused = isRefused(() => checks.checkEngine({ engines }, undefined, running));
      expect(isSelected({ engines }, LINUX, running), running).toBe(!refused);
    }
  });

  test.each([null, [], ['node >= 26'], 'node >= 26', { npm: '>=99' }])(
    'engines: %j says nothing of Node',
    (engines) => {
      expect(isSelected({ engines }, LINUX)).toBe(true);
    },
  );
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

  test('leaves out what comes with an optional package for another platform', () => {
    const made = makePlan({
      lock: {
        feature: feature(['wasm']),
        wasm: { version: '1.0.0', cpu: ['wasm32'], dependencies: { runtime: '*' } },
        runtime: needing('tslib'),
        tslib: '1.0.0',
      },
    });
    expect(choose(made)).toEqual({ nodes: ['feature'], skipped: [], unsupported: undefined });
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

  test('keeps what others need as well', () => {
    const made = makePlan({
      lock: { feature: feature(['a'], { b: '*' }), a: needing('b', 'd'), b: '1.0.0', d: DARWIN },
    });
    expect(choose(made).nodes).toEqual(['b', 'feature']);
  });

  test('keeps an optional package whose own optional one is for another platform', () => {
    const made = makePlan({ lock: { feature: feature(['a']), a: feature(['d']), d: DARWIN } });
    expect(choose(made).nodes).toEqual(['a', 'feature']);
  });

  test('that needs a package for another platform is not supported, and says which', () => {
    const made = makePlan({
      lock: { feature: feature([], { z: '*', a: '*' }), z: DARWIN, a: needing('d'), d: DARWIN },
    });
    expect(choose(made).unsupported).toBe('d');
    expect(choose(made, { os: 'darwin', cpu: 'arm64' }).unsupported).toBeUndefined();
  });

  test('that is itself for another platform is not supported', () => {
    expect(choose(makePlan({ lock: { feature: DARWIN } })).unsupported).toBe('feature');
  });

  test('that asks for one package twice, needed and optional, needs it', () => {
    const made = makePlan({
      lock: { feature: feature(['d'], { a: '*' }), a: needing('d'), d: DARWIN },
    });
    expect(choose(made).unsupported).toBe('d');
  });

  test('takes a package in both lists as optional, like npm', () => {
    const made = makePlan({ lock: { feature: feature(['d'], { d: '*' }), d: DARWIN } });
    expect(choose(made)).toEqual({ nodes: ['feature'], skipped: [], unsupported: undefined });
  });

  test('counts a peer as needed, and an optional peer as nothing', () => {
    const peers = { version: '1.0.0', peerDependencies: { d: '*' } };
    const made = makePlan({ lock: { feature: feature([], { a: '*' }), a: peers, d: DARWIN } });
    expect(choose(made).unsupported).toBe('d');
    const welcome = { ...peers, peerDependenciesMeta: { d: { optional: true } } };
    const other = makePlan({
      lock: { feature: feature(['d'], { a: '*' }), a: welcome, d: DARWIN },
    });
    expect(choose(other)).toEqual({ nodes: ['a', 'feature'], skipped: [], unsupported: undefined });
  });

  test('goes round in circles of optional packages', () => {
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

  test('leaves out optional packages for another Node, and tells which; needed ones stay', () => {
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
      skipped: ['old'],
      unsupported: undefined,
    });
    expect(names(select(made, LINUX).nodes)).toEqual(['a', 'feature', 'fine', 'kept', 'old']);
  });

  test('has parents before what is nested in them', () => {
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

describe('sharp 0.34.5', () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'test/data/sharp-lock.json'), 'utf8'));
  const read = readGraph(lock);
  if ('problem' in read) throw new Error(read.problem);
  const made = plan(
    {
      graph: read.graph,
      packages: { sharp: '^0.34.0' },
      inventory: new Map(),
      conflicts: 'fail',
      share: true,
      scripts: [],
      unshared: [],
    },
    RANGES,
  );
  const ALWAYS = ['@img/colour', 'detect-libc', 'semver', 'sharp'];

  /** As `npm ci --os --cpu --libc` of npm 11.19 installed it. */
  test.each([
    ['linux-x64-glibc', ['@img/sharp-libvips-linux-x64', '@img/sharp-linux-x64']],
    ['linux-x64-musl', ['@img/sharp-libvips-linuxmusl-x64', '@img/sharp-linuxmusl-x64']],
    ['linux-arm64-glibc', ['@img/sharp-libvips-linux-arm64', '@img/sharp-linux-arm64']],
    ['linux-arm64-musl', ['@img/sharp-libvips-linuxmusl-arm64', '@img/sharp-linuxmusl-arm64']],
    ['linux-ppc64-glibc', ['@img/sharp-libvips-linux-ppc64', '@img/sharp-linux-ppc64']],
    ['darwin-arm64', ['@img/sharp-darwin-arm64', '@img/sharp-libvips-darwin-arm64']],
    ['win32-x64', ['@img/sharp-win32-x64']],
    ['freebsd-x64', []],
    ['wasm-wasm32', ['@emnapi/runtime', '@img/sharp-wasm32', 'tslib']],
  ])('on %s is what npm installs', (name, own) => {
    const platform = parsePlatform(name);
    if (platform === undefined) throw new Error(name);
    expect(choose(made, platform)).toEqual({
      nodes: [...ALWAYS, ...own].sort(),
      skipped: [],
      unsupported: undefined,
    });
  });
});
