/** Keys and variables that are spelled wrongly: told as what they are, and a switch restricts all the same. */
import { expect, onTestFinished, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { node } from '../support/lock-files.ts';
import { openWorld } from '../support/world.ts';

const features = { kit: '^1.0.0' };
const open = (annex: unknown) =>
  openWorld(
    { onTestFinished },
    { packages: [esmPackage('kit', '1.0.0', 'kit')], node: node.path, annex: annex as object },
  );

test.each([
  ['beside features', { features, allowInstall: false }, {}, /annex\.allowInstall in .* taken for/],
  ['as a variable', { features }, { ANNEX_ALLOW_INSTALL: '0' }, /ANNEX_ALLOW_INSTALL .* taken for/],
])('a switch that is misspelt %s: nothing is installed, and a line says why', async (...given) => {
  const [, annex, more, said] = given;
  const { sandbox, registry } = await open(annex);
  const env = { ANNEX_STORE: sandbox.store, ...more };
  const { imported } = await importIn(sandbox, ['kit'], { env });
  expectRefused(imported.kit, 'ANNEX_DENIED', /installs/, 'kit');
  expect(registry.requests).toEqual([]);
  const { code, stdout, stderr } = await sandbox.annex(['list'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^kit +kit +\^1\.0\.0 +denied/m);
  expect(stderr).toMatch(said);
});

test.each([
  ['a string', 'kit', /annex in \S+package\.json is not an object but a string/],
  ['a list', ['kit'], /annex in \S+package\.json is not an object but a list/],
  [
    'features without the key',
    features,
    /annex\.kit in .* a feature belongs below annex\.features/,
  ],
])('an annex key that is %s is told as what it is', async (_, annex, said) => {
  const { sandbox } = await open(annex);
  for (const args of [['list'], ['lock', '--check'], ['why', 'kit'], ['install', '--all']]) {
    const { stderr } = await sandbox.annex(args);
    expect({ args, stderr }).toEqual({ args, stderr: expect.stringMatching(said) });
    expect(stderr).not.toMatch(/no package\.json declares features/);
  }
});
