/** `annex licenses`: the licences of everything that is locked. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node, readLock } from '../support/lock-files.ts';

const common = esmPackage('common', '1.2.0', 'common', { license: 'GPL-3.0' });
const features = { kit: '^1.0.0', other: '^3.0.0' };
const OTHER = { license: 'Apache-2.0', optionalDependencies: { far: '*' } };
const open = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', both: '*', bare: '*' }),
    common,
    esmPackage('both', '2.0.0', 'both', { license: { type: 'MIT' } }),
    esmPackage('bare', '1.0.0', 'bare'),
    dependentPackage('other', '3.0.0', 'other', { both: '*', 'both-types': '*' }, OTHER),
    esmPackage('both-types', '1.0.0', 'types', { license: 'MIT' }),
    esmPackage('far', '1.0.0', 'far', { license: 'MIT', os: ['linux'], cpu: ['arm64'] }),
  ],
  annex: {},
  prepare: (sandbox) => {
    sandbox.setCore({ features }, { dependencies: { common: '*' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), common);
  },
});

describe(node.label, () => {
  test('a table has a row for each licence, without a registry; the unknown ones are last', async () => {
    const { sandbox, registry } = await open();
    await registry.stop();
    const { code, stdout, stderr } = await sandbox.annex(['licenses']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'licence     count  packages',
        'MIT         3      both 2.0.0, both-types 1.0.0, far 1.0.0',
        'Apache-2.0  1      other 3.0.0',
        'unknown     2      bare 1.0.0, kit 1.0.0',
        '',
      ].join('\n'),
    );
  });

  test('with --json each package has its features; with names only those features count', async () => {
    const { sandbox } = await open();
    const list = async (...args: string[]) =>
      JSON.parse((await sandbox.annex(['licenses', '--json', ...args])).stdout).licenses;
    const [mit] = await list();
    expect(mit).toEqual({
      license: 'MIT',
      packages: [
        { name: 'both', version: '2.0.0', features: ['kit', 'other'] },
        { name: 'both-types', version: '1.0.0', features: ['other'] },
        { name: 'far', version: '1.0.0', features: ['other'] },
      ],
    });
    const ofKit = await list('kit');
    expect(ofKit.map(({ license }: { license: string }) => license)).toEqual(['MIT', null]);
  });

  test('a feature without a lock is named, with exit code 1; one that the application ships is not missed', async () => {
    const { sandbox } = await open();
    sandbox.setCore({ features: { ...features, far: '*' } }, { dependencies: { common: '*' } });
    const missing = await sandbox.annex(['licenses']);
    expect(missing).toMatchObject({
      code: 1,
      stderr: 'annex: far is left out: it is not locked\n',
    });
    expect(missing.stdout).toContain('Apache-2.0  1      other 3.0.0');
    sandbox.setCore({ features: { common: '*' } }, { dependencies: { common: '*' } });
    expect(await sandbox.annex(['licenses'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'annex: common is left out: the application ships it\n',
    });
  });

  test('the lock has them however npm is asked for versions', async () => {
    const { sandbox } = await open();
    const { packages } = readLock(sandbox, 'kit');
    expect(packages['node_modules/both']).toMatchObject({ license: 'MIT' });
    sandbox.write('app/annex/kit/annex.json', '{}');
    // npm then asks for the short form of packuments, which has no licences.
    await lock(sandbox, 'kit', '--min-age', '0');
    expect(readLock(sandbox, 'kit').packages).toEqual(packages);
  });
});
