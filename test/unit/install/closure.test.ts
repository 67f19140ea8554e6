/** Reading what npm installed: the closure, what binds it to a platform, and its id. */
import { describe, expect, test } from 'vitest';
import { identify, readClosure } from '../../../src/install/closure.ts';
import type { ClosurePackage } from '../../../src/types.ts';

const integrity = 'sha512-AAAA';
const alpha = { version: '1.2.0', integrity, resolved: 'https://registry.corp/alpha.tgz' };

const lock = (packages: object) => ({
  lockfileVersion: 3,
  packages: { '': { dependencies: { alpha: '^1.0.0' } }, ...packages },
});

const read = (packages: object, isInstalled: (path: string) => boolean = () => true) =>
  readClosure(lock(packages), isInstalled);

describe('the closure', () => {
  test('names every package by its path, scopes, nesting and aliases included', () => {
    const { closure } = read({
      'node_modules/alpha': alpha,
      'node_modules/@acme/beta': { version: '2.0.0', integrity },
      'node_modules/alpha/node_modules/@acme/beta': { version: '1.0.0' },
      'node_modules/alias': { name: 'real', version: '3.0.0', integrity },
    });
    expect(closure).toEqual([
      { path: 'node_modules/alpha', name: 'alpha', version: '1.2.0', integrity },
      { path: 'node_modules/@acme/beta', name: '@acme/beta', version: '2.0.0', integrity },
      {
        path: 'node_modules/alpha/node_modules/@acme/beta',
        name: '@acme/beta',
        version: '1.0.0',
      },
      { path: 'node_modules/alias', name: 'real', version: '3.0.0', integrity },
    ]);
  });

  test('leaves out what npm left out, and no address of a registry is in it', () => {
    const { closure } = read(
      { 'node_modules/alpha': alpha, 'node_modules/win': { version: '1.0.0', optional: true } },
      (path) => path !== 'node_modules/win',
    );
    expect(closure.map(({ name }) => name)).toEqual(['alpha']);
    expect(JSON.stringify(closure)).not.toContain('registry.corp');
  });
});

describe('what binds a closure to this platform', () => {
  test.each([
    ['os', { os: ['linux'] }],
    ['cpu', { cpu: ['x64'] }],
    ['libc', { libc: ['glibc'] }],
    ['an install script', { hasInstallScript: true }],
  ])('%s, wherever it stands', (_, binding) => {
    const deep = 'node_modules/alpha/node_modules/deep';
    expect(read({ 'node_modules/alpha': alpha, [deep]: { version: '1.0.0', ...binding } })).toEqual(
      expect.objectContaining({ isPlain: false }),
    );
  });

  test('an optional dependency of another platform, though it is not installed', () => {
    const packages = {
      'node_modules/alpha': alpha,
      'node_modules/win': { version: '1.0.0', os: ['win32'], optional: true },
    };
    expect(read(packages, (path) => !path.endsWith('win')).isPlain).toBe(false);
  });

  test.each([{}, { hasInstallScript: false }, { engines: { node: '>=20' } }, { bin: 'x.js' }])(
    'not %j',
    (facts) => {
      expect(read({ 'node_modules/alpha': { ...alpha, ...facts } }).isPlain).toBe(true);
    },
  );
});

describe('the id', () => {
  const one: ClosurePackage = { path: 'node_modules/a', name: 'a', version: '1.0.0', integrity };
  const two: ClosurePackage = { path: 'node_modules/b', name: 'b', version: '2.0.0', integrity };

  test('is 32 hex digits, and equal for equal content, whatever the order of keys', () => {
    const turned = { integrity, version: '1.0.0', name: 'a', path: 'node_modules/a' };
    expect(identify([one, two])).toMatch(/^[0-9a-f]{32}$/);
    expect(identify([turned, two])).toBe(identify([one, two]));
  });

  test('stays what it is: entries that stand in stores are found by it', () => {
    expect(identify([one])).toBe('6c4162f431856d50cea320082f891dbd');
  });

  test.each([
    ['another version', [{ ...one, version: '1.0.1' }]],
    ['another digest', [{ ...one, integrity: 'sha512-BBBB' }]],
    ['no digest', [{ path: one.path, name: one.name, version: one.version }]],
    ['another place', [{ ...one, path: 'node_modules/x/node_modules/a' }]],
    ['another name', [{ ...one, name: 'alias' }]],
    ['one more', [one, two]],
    ['none', []],
  ])('%s is another', (_, closure) => {
    expect(identify(closure)).not.toBe(identify([one]));
  });
});
