/** `annex update` locks the newest versions in the declared ranges. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lockBefore, node, readLock } from '../support/lock-files.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';

const alpha = (version: string): PackageFixture =>
  dependentPackage('alpha', version, `alpha ${version}`, { leaf: '^1.0.0' });
const leaf = (version: string): PackageFixture => esmPackage('leaf', version, `leaf ${version}`);
const beta = (version: string): PackageFixture => esmPackage('beta', version, `beta ${version}`);

const features = { alpha: '^1.0.0', beta: '^1.0.0' };
const openLocked = lockBefore({
  packages: [alpha('1.0.0'), leaf('1.0.0'), beta('1.0.0')],
  annex: { features },
});

/** Locks, and a registry with later versions in and outside the ranges. */
async function open() {
  const { sandbox, registry } = await openLocked();
  await registry.add(alpha('1.1.0'), alpha('2.0.0'), leaf('1.4.0'), beta('1.0.7'));
  return { sandbox, registry };
}

const versions = (sandbox: Sandbox): Record<string, string | undefined> =>
  Object.fromEntries(
    ['alpha', 'beta'].flatMap((slug) =>
      Object.entries(readLock(sandbox, slug).packages)
        .filter(([path]) => path !== '')
        .map(([path, { version }]) => [path.replace('node_modules/', ''), version]),
    ),
  );

describe(node.label, () => {
  test('declared packages and their dependencies get the newest versions in the ranges', async () => {
    const { sandbox } = await open();
    // A lock keeps the versions.
    expect((await sandbox.annex(['lock'])).stdout).toBe(
      'alpha: locked already\nbeta: locked already\n',
    );
    const { code, stdout, stderr } = await sandbox.annex(['update']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const at = (slug: string) => join(sandbox.core, 'annex', slug);
    expect(stdout.split('\n')).toEqual([
      `alpha: locked in ${at('alpha')} (packages: 2)`,
      '  alpha 1.0.0 -> 1.1.0; 1 changed',
      '  changed alpha 1.0.0 -> 1.1.0',
      '  changed leaf 1.0.0 -> 1.4.0',
      `beta: locked in ${at('beta')} (packages: 1)`,
      '  beta 1.0.0 -> 1.0.7',
      '  changed beta 1.0.0 -> 1.0.7',
      '',
    ]);
    expect(versions(sandbox)).toEqual({ alpha: '1.1.0', leaf: '1.4.0', beta: '1.0.7' });
    expect((await sandbox.annex(['lock', '--check'])).code).toBe(0);
    expect((await sandbox.annex(['outdated'])).code).toBe(0);
    const before = sandbox.digest(sandbox.core);
    const again = await sandbox.annex(['update']);
    expect(again.stdout).toBe('alpha: locked already\nbeta: locked already\n');
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('a dry run prints the difference and writes nothing', async () => {
    const { sandbox } = await open();
    const before = sandbox.digest(sandbox.core);
    const { code, stdout } = await sandbox.annex(['update', 'beta', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      `beta: would be locked in ${join(sandbox.core, 'annex', 'beta')} (packages: 1)`,
      '  beta 1.0.0 -> 1.0.7',
      '  changed beta 1.0.0 -> 1.0.7',
      '',
    ]);
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('a reason that counts for several features stands once', async () => {
    const { sandbox, registry } = await open();
    await registry.stop();
    const { host } = new URL(registry.url);
    const { code, stdout, stderr } = await sandbox.annex(['update']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `annex: alpha, beta cannot be locked: registry ${host} cannot be reached (ECONNREFUSED) (ANNEX_OFFLINE). Now: check the network and the proxy, or set another registry in npm_config_registry or an .npmrc\n`,
    );
  });

  test('only named features are updated', async () => {
    const { sandbox } = await open();
    expect((await sandbox.annex(['update', 'beta'])).code).toBe(0);
    expect(versions(sandbox)).toEqual({ alpha: '1.0.0', leaf: '1.0.0', beta: '1.0.7' });
  });

  test('versions that are too recent are not taken', async () => {
    const { sandbox, registry } = await open();
    const published = new Date(Date.now() - 3 * 86_400_000).toISOString();
    await registry.add({ ...beta('1.0.8'), published });
    const betaOf = async (...args: string[]) => {
      await sandbox.annex(['update', 'beta', ...args]);
      return versions(sandbox).beta;
    };
    expect(await betaOf('--min-age', '7')).toBe('1.0.7');
    expect(await betaOf()).toBe('1.0.8');
    expect((await sandbox.annex(['update', '--min-age', '-1'])).code).toBe(2);
  });

  test('a blocked version fails, and the old lock stays; other features are updated', async () => {
    const { sandbox } = await open();
    sandbox.setCore({ features, blocked: ['leaf@1.4.0'] });
    const { code, stderr, stdout } = await sandbox.annex(['update']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^annex: alpha cannot be locked: .*leaf.*1\.4\.0.* \(ANNEX_DENIED\)/);
    expect(stdout).toMatch(/^beta: locked in /);
    expect(versions(sandbox)).toEqual({ alpha: '1.0.0', leaf: '1.0.0', beta: '1.0.7' });
  });

  test('the version that the application is developed with is preferred, as by annex lock', async () => {
    const { sandbox, registry } = await open();
    await registry.add(beta('1.0.9'));
    sandbox.setCore({ features }, { devDependencies: { beta: '1.0.7' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), beta('1.0.7'));
    expect((await sandbox.annex(['update', 'beta'])).code).toBe(0);
    expect(versions(sandbox).beta).toBe('1.0.7');
    expect((await sandbox.annex(['lock'])).stdout).toContain('beta: locked already');
  });
});
