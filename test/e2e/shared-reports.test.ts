/** What shared packages depend on is in a package-lock for npm ci, and in no report of annex. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lockBefore, readLock } from '../support/lock-files.ts';

const common = dependentPackage('common', '1.2.0', 'common', { deep: '^1.0.0' });
const deep = esmPackage('deep', '1.0.0', 'deep', { license: 'GPL-3.0' });
const open = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0' }),
    common,
    deep,
    esmPackage('deep', '1.1.0', 'deep'),
  ],
  annex: {},
  prepare: (sandbox) => {
    sandbox.setCore({ features: { kit: '*' } }, { dependencies: { common: '*' } });
    for (const one of [common, deep]) sandbox.addPackage('app/node_modules', one);
  },
});

test('npm ci needs them, and audit, sbom and licenses leave them out', async () => {
  const { sandbox, registry } = await open();
  const { packages, sidecar, dir, texts } = readLock(sandbox, 'kit');
  const paths = ['common', 'deep', 'kit'].map((name) => `node_modules/${name}`);
  expect(Object.keys(packages)).toEqual(['', ...paths]);
  expect(Object.keys(sidecar.packages)).toEqual(['node_modules/kit']);

  registry.advise('deep', '*');
  expect(await sandbox.annex(['audit'])).toMatchObject({ code: 0 });
  const [audited = {}] = registry.audited;
  expect(new Set(Object.keys(audited))).toEqual(new Set(['common', 'kit']));
  const sbom = JSON.parse((await sandbox.annex(['sbom'])).stdout);
  const names = (sbom.components as { name: string }[]).map(({ name }) => name);
  expect(new Set(names)).toEqual(new Set(['annex-kit', 'common', 'kit']));
  expect((await sandbox.annex(['licenses', '--json'])).stdout).not.toContain('deep');

  const ci = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  expect(await sandbox.exec('npm', ci, { cwd: dir })).toMatchObject({ code: 0 });
  const { 'node_modules/deep': _, ...rest } = packages;
  const whole = JSON.parse(texts['package-lock.json'] ?? '');
  sandbox.write(join(dir, 'package-lock.json'), { ...whole, packages: rest });
  const incomplete = await sandbox.exec('npm', ci, { cwd: dir });
  expect(incomplete.stderr).toMatch(/Missing: deep@1\.1\.0 from lock file/);
});
