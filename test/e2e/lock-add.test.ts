/** `annex add` with locked features, and the cooldown of new versions. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { lock, node, readLock } from '../support/lock-files.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const HOUR = 3_600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const packages = [
  esmPackage('alpha', '1.0.0', 'old alpha'),
  { ...esmPackage('alpha', '1.1.0', 'young alpha'), published: ago(HOUR) },
  esmPackage('beta', '1.0.0', 'beta'),
];
const open = (features: object = { alpha: '^1.0.0' }) =>
  openWorld({ packages, node: node.path, annex: { features } });

const versionOf = (sandbox: Sandbox) =>
  readLock(sandbox, 'alpha').packages['node_modules/alpha']?.version;

describe.concurrent(node.label, () => {
  test('if a feature is locked, an added one is locked as well', async () => {
    const { sandbox } = await open();
    const first = await sandbox.annex(['add', 'beta@^1.0.0']);
    const path = join(sandbox.core, 'package.json');
    expect(first).toMatchObject({
      code: 0,
      stdout: `declared beta ^1.0.0 in ${path}\nNow: npx annex lock\n`,
    });
    await lock(sandbox, 'alpha');
    const { texts } = readLock(sandbox, 'alpha');
    const { code, stdout, stderr } = await sandbox.annex(['add', 'beta@~1.0.0', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const dir = join(sandbox.core, 'annex', 'beta');
    expect(JSON.parse(stdout)).toEqual({
      ...{ version: 1, command: 'add', application: sandbox.core, store: null },
      path,
      packages: { beta: '~1.0.0' },
      features: ['beta'],
      locks: [{ feature: 'beta', outcome: 'locked', dir, packages: 1, shared: [] }],
    });
    expect(readLock(sandbox, 'beta').sidecar.specs).toEqual({ beta: '~1.0.0' });
    expect(readLock(sandbox, 'alpha').texts).toEqual(texts);
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('a version of the last day is locked only with --min-age 0', async () => {
    const { sandbox } = await open();
    await lock(sandbox);
    expect(versionOf(sandbox)).toBe('1.0.0');
    sandbox.setCore({ features: { alpha: '>=1.0.0 <3' } });
    await lock(sandbox, '--min-age', '0');
    // A locked version stays while it fits.
    expect(versionOf(sandbox)).toBe('1.0.0');
    sandbox.setCore({ features: { alpha: '^1.1.0' } });
    sandbox.write('app/.npmrc', 'min-release-age=3\n');
    await lock(sandbox, '--min-age', '0.02');
    expect(versionOf(sandbox)).toBe('1.1.0');
  });

  test('npm’s own age setting applies instead of a day', async () => {
    const { sandbox } = await open({ alpha: '^1.1.0' });
    sandbox.write('app/.npmrc', 'min-release-age=0\n');
    await lock(sandbox);
    expect(versionOf(sandbox)).toBe('1.1.0');
  });

  test('a date in npm’s settings applies instead of a day', async () => {
    const { sandbox } = await open({ alpha: '^1.0.0' });
    const before = ago(-HOUR);
    const env = { ANNEX_STORE: sandbox.store, npm_config_before: before };
    const { imported } = await importIn(sandbox, ['alpha'], { env });
    expect(imported.alpha?.version).toBe('1.1.0');
    const locked = await sandbox.annex(['lock'], {
      env: { npm_config_before: ago(400 * 24 * HOUR) },
    });
    expect(locked.code).toBe(0);
    expect(versionOf(sandbox)).toBe('1.0.0');
  });

  test('without a lock, an install uses no version of the last day either', async () => {
    const { sandbox } = await open();
    const { imported } = await importIn(sandbox, ['alpha'], {
      env: { ANNEX_STORE: sandbox.store },
    });
    expect(imported.alpha).toMatchObject({ version: '1.0.0', marker: 'old alpha' });
  });

  test('if only young versions fit, the message says that, with a hint', async () => {
    const { sandbox } = await open({ alpha: '^1.1.0' });
    const { code, stderr } = await sandbox.annex(['lock']);
    expect(code).toBe(1);
    const said = /alpha@\^1\.1\.0 with a date before .*Now: .*--min-age 0, or min-release-age=0/;
    expect(stderr).toMatch(/^annex: alpha cannot be locked: .* \(ANNEX_INSTALL_FAILED\)\. Now: /);
    expect(stderr).toMatch(said);
    const env = { ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['alpha'], { env });
    expect(imported.alpha?.cause?.message).toMatch(said);
  });
});
