/** Packages for a platform, compared with npm's own checks and installs. */
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Platform, parsePlatform } from '../../../src/base/platform.ts';
import { readGraph } from '../../../src/plan/graph.ts';
import { plan } from '../../../src/plan/plan.ts';
import { makePlan, RANGES, refuseLock } from '../../support/lock.ts';
import { findNpm } from '../../support/npm.ts';
import { repositoryRoot } from '../../support/package.ts';
import { choose, LINUX } from '../../support/selection.ts';

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
        // If no libc is given, npm uses that of the machine it runs on.
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
    'engines: %j does not restrict Node',
    (engines) => {
      expect(isSelected({ engines }, LINUX)).toBe(true);
    },
  );
});

describe('sharp 0.34.5', () => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, 'test/data/sharp-lock.json'), 'utf8'));
  const made = plan(
    {
      graph: readGraph(lock, refuseLock),
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

      unsupported: undefined,
    });
  });
});
