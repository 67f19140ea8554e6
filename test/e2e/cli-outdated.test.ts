/** `annex outdated` compares locked versions with those of the registry. */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { lockBefore, node } from '../support/lock-files.ts';
import type { PackageFixture } from '../support/package.ts';

const plain = (name: string, version: string): PackageFixture =>
  esmPackage(name, version, `${name} ${version}`);
const recent = (pkg: PackageFixture, days: number): PackageFixture => ({
  ...pkg,
  published: new Date(Date.now() - days * 86_400_000).toISOString(),
});

const features = {
  alpha: '^1.0.0',
  pair: { packages: { beta: '~2.0.0', '@acme/gamma': '^3.0.0' } },
};

const open = lockBefore({
  packages: [plain('alpha', '1.0.0'), plain('beta', '2.0.0'), plain('@acme/gamma', '3.0.0')],
  annex: { features },
});

const HEAD = 'package locked wanted latest range feature note';
/** Lines with single spaces. */
const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));

describe(node.label, () => {
  test('nothing newer: a table, and exit code 0', async () => {
    const { sandbox } = await open();
    const { code, stdout, stderr } = await sandbox.annex(['outdated']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout)).toEqual([
      HEAD,
      'alpha 1.0.0 1.0.0 1.0.0 ^1.0.0 alpha',
      'beta 2.0.0 2.0.0 2.0.0 ~2.0.0 pair',
      '@acme/gamma 3.0.0 3.0.0 3.0.0 ^3.0.0 pair',
      '',
      '0 outdated, 3 current',
    ]);
  });

  test('one npm command finds the versions for all features', async () => {
    const { sandbox } = await open();
    const calls = join(sandbox.root, 'calls');
    const counting = sandbox.write(
      'bin/npm',
      `#!/bin/sh\necho "$1" >> ${calls}\nPATH='${process.env.PATH}' exec npm "$@"\n`,
    );
    chmodSync(counting, 0o755);
    const env = { PATH: `${join(sandbox.root, 'bin')}:${process.env.PATH}` };
    expect((await sandbox.annex(['outdated'], { env })).code).toBe(0);
    const names = readFileSync(calls, 'utf8').split('\n');
    expect(names.filter((name) => name === 'outdated' || name === 'view')).toEqual(['outdated']);
  });

  test('a newer version in the range is wanted, with exit code 1; one outside is only the latest', async () => {
    const { sandbox, registry } = await open();
    await registry.add(plain('alpha', '1.2.0'), plain('alpha', '2.0.0'), plain('beta', '2.1.0'));
    const before = sandbox.digest(sandbox.core);
    const { code, stdout } = await sandbox.annex(['outdated']);
    expect(code).toBe(1);
    expect(lines(stdout).slice(1)).toEqual([
      'alpha 1.0.0 1.2.0 2.0.0 ^1.0.0 alpha',
      'beta 2.0.0 2.0.0 2.1.0 ~2.0.0 pair',
      '@acme/gamma 3.0.0 3.0.0 3.0.0 ^3.0.0 pair',
      '',
      '1 outdated, 2 current',
    ]);
    const one = await sandbox.annex(['outdated', 'pair', '--json']);
    expect(one.code).toBe(0);
    expect(JSON.parse(one.stdout).results).toMatchObject([
      {
        feature: 'pair',
        outcome: 'current',
        packages: [
          { name: 'beta', locked: '2.0.0', wanted: '2.0.0', latest: '2.1.0', isOutdated: false },
          { name: '@acme/gamma' },
        ],
      },
    ]);
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('a version that is too recent to be locked does not count', async () => {
    const { sandbox, registry } = await open();
    await registry.add(
      recent(plain('alpha', '1.1.0'), 3),
      recent(plain('alpha', '1.2.0'), 0.1),
      recent(plain('beta', '2.0.1'), 0.1),
    );
    const alphaOf = async (...args: string[]) => {
      const { code, stdout } = await sandbox.annex(['outdated', 'alpha', ...args]);
      return [code, lines(stdout)[1]?.split(' ')[2]];
    };
    expect(await alphaOf()).toEqual([1, '1.1.0']);
    expect(await alphaOf('--min-age', '0')).toEqual([1, '1.2.0']);
    expect(await alphaOf('--min-age', '7')).toEqual([0, '1.0.0']);
    const before = new Date(Date.now() - 7 * 86_400_000).toISOString();
    sandbox.write('app/.npmrc', `before=${before}\n`);
    expect(await alphaOf()).toEqual([0, '1.0.0']);
    expect((await sandbox.annex(['outdated', '--min-age', 'x'])).code).toBe(2);
  });

  test('no version in the range is old enough: none is wanted, and that is no failure', async () => {
    const { sandbox, registry } = await open();
    await registry.add({ ...plain('alpha', '0.9.0'), published: '2018-01-01T00:00:00.000Z' });
    sandbox.write('app/.npmrc', 'before=2019-01-01\n');
    const { code, stdout, stderr } = await sandbox.annex(['outdated', 'alpha']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines(stdout)[1]).toBe('alpha 1.0.0 - - ^1.0.0 alpha');
  });

  test('a blocked version, and one for development, are noted', async () => {
    const { sandbox, registry } = await open();
    await registry.add(plain('alpha', '1.2.0'), plain('beta', '2.0.5'));
    sandbox.setCore({ features, blocked: ['alpha@1.2.0'] }, { devDependencies: { beta: '2.0.0' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), plain('beta', '2.0.0'));
    const { code, stdout } = await sandbox.annex(['outdated']);
    expect(code).toBe(1);
    expect(lines(stdout).slice(1, 3)).toEqual([
      'alpha 1.0.0 1.2.0 1.2.0 ^1.0.0 alpha 1.2.0 is blocked',
      'beta 2.0.0 2.0.5 2.0.5 ~2.0.0 pair developed with 2.0.0',
    ]);
  });

  test('a package that the application ships is left out, and a feature without a lock is named', async () => {
    const { sandbox } = await open();
    sandbox.setCore(
      { features: { alpha: '^1.0.0', fresh: '^1.0.0' } },
      { dependencies: { alpha: '*' } },
    );
    sandbox.addPackage(join(sandbox.core, 'node_modules'), plain('alpha', '1.0.0'));
    expect((await sandbox.annex(['lock', 'alpha'])).code).toBe(0);
    const { code, stdout } = await sandbox.annex(['outdated']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'fresh: is not locked\n' });
  });

  test('without a network the error names the registry; a package that is gone, the package', async () => {
    const { sandbox, registry } = await open();
    registry.fault({ kind: 'status', status: 404 }, /GET \/beta$/);
    const gone = await sandbox.annex(['outdated', '--json']);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(
      /^annex: pair cannot be compared with the registry: npm: E404 .*\bbeta\b.* \(ANNEX_INSTALL_FAILED\)/,
    );
    expect(JSON.parse(gone.stdout).results).toMatchObject([
      { feature: 'alpha', outcome: 'current' },
      { feature: 'pair', outcome: 'failed', refusal: { code: 'ANNEX_INSTALL_FAILED' } },
    ]);
    await registry.stop();
    const { code, stderr } = await sandbox.annex(['outdated']);
    const { host } = new URL(registry.url);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      `annex: alpha, pair cannot be compared with the registry: registry ${host} cannot be reached (ECONNREFUSED) (ANNEX_OFFLINE). Now: check the network`,
    );
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a lock that does not belong to the declaration is a failure', async () => {
    const { sandbox } = await open();
    sandbox.setCore({ features: { alpha: '^1.0.1' } });
    const { code, stderr } = await sandbox.annex(['outdated']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/locks alpha for \^1\.0\.0, and \^1\.0\.1 is declared.*npx annex lock/);
  });
});
