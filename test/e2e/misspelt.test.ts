/** Misspelt keys and variables are reported, and a misspelt switch restricts. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, splitLines } from '../support/importer.ts';
import { node } from '../support/lock-files.ts';
import { openWorld } from '../support/world.ts';

const features = { kit: '^1.0.0' };
const open = (annex: unknown) =>
  openWorld({
    packages: [esmPackage('kit', '1.0.0', 'kit')],
    node: node.path,
    annex: annex as object,
  });

test.each([
  ['beside features', { features, allowInstall: false }, {}, /annex\.allowInstall in .* counts as/],
  ['as a variable', { features }, { ANNEX_ALLOW_INSTALL: '0' }, /ANNEX_ALLOW_INSTALL .* counts as/],
])('with a switch misspelt %s nothing is installed, and a line says why', async (...given) => {
  const [, annex, more, said] = given;
  const { sandbox, registry } = await open(annex);
  const env = { ANNEX_STORE: sandbox.store, ...more };
  const { imported } = await importIn(sandbox, ['kit'], { env });
  expectRefused(imported.kit, 'ANNEX_DENIED', /installs/, 'kit');
  expect(registry.requests).toEqual([]);
  const { code, stdout, stderr } = await sandbox.annex(['list'], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^kit +kit +\^1\.0\.0 +- +- +denied/m);
  expect(stderr).toMatch(said);
});

test.each([
  ['a string', 'kit', /annex in \S+package\.json is not an object but a string/],
  ['a list', ['kit'], /annex in \S+package\.json is not an object but a list/],
  ['an empty list', [], /annex in \S+package\.json is not an object but a list/],
  [
    'a list of features',
    { features: [] },
    /annex\.features in \S+package\.json is \[\], not an object/,
  ],
  ['features without the key', features, /annex\.kit in .* Now: move it into annex\.features/],
])('an annex key that is %s is reported with its type', async (_, annex, said) => {
  const { sandbox } = await open(annex);
  for (const args of [['list'], ['lock', '--check'], ['why', 'kit'], ['install', '--all']]) {
    const { code, stderr } = await sandbox.annex(args);
    expect({ args, code, stderr }).toEqual({
      args,
      code: args[0] === 'list' ? 0 : 1,
      stderr: expect.stringMatching(said),
    });
    expect(stderr).not.toMatch(/no package\.json declares features/);
  }
});

test('an unknown key beside features: commands for all features fail, and every command reports it', async () => {
  const { sandbox } = await open({ features, feature: {} });
  const env = { ANNEX_STORE: sandbox.store };
  const line = expect.stringMatching(/^annex: annex\.feature in \S+package\.json is not known/);
  for (const [args, code] of [
    [['lock'], 1],
    [['lock', '--check'], 1],
    [['lock', 'kit', '--check'], 0],
    [['install', '--all'], 1],
    [['install', 'kit'], 0],
    [['bake', `${sandbox.root}/layer`], 1],
    [['add', 'other@^1.0.0', '--feature', 'kit'], 1],
    [['list'], 0],
  ] as const) {
    const result = await sandbox.annex(args, { env });
    expect({ args, code: result.code }).toEqual({ args, code });
    expect(splitLines(result.stderr).filter((one) => one.includes('annex.feature '))).toEqual([
      line,
    ]);
  }
  rmSync(join(sandbox.core, 'annex'), { recursive: true });
  const added = await sandbox.annex(['add', 'other@^1.0.0']);
  expect(added).toMatchObject({ code: 0, stderr: line });
  const removed = await sandbox.annex(['remove', 'other']);
  expect(removed).toMatchObject({ code: 0, stderr: line });
});

test('a mistake is reported once by a process and its installers', async () => {
  const { sandbox } = await open({ features, importers: 'kit' });
  const { imported, lines } = await importIn(sandbox, ['kit'], {
    env: { ANNEX_STORE: sandbox.store },
  });
  expect(imported.kit?.marker).toBe('kit');
  expect(lines.filter((line) => line.includes('annex.importers'))).toHaveLength(1);
});
