/** `annex config`: the value and origin of every setting, and what is invalid. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Config } from '../../src/cli/shared/read-config.ts';
import { KEYS } from '../../src/settings/table.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';

async function readConfig(sandbox: Sandbox, options?: RunOptions) {
  const { code, stdout, stderr } = await sandbox.annex(['config', '--json'], options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { settings, problems } = JSON.parse(stdout) as Config;
  return { of: (key: string) => settings.find(({ setting }) => setting === key), problems, stdout };
}

test('without any setting, each one has its default', async () => {
  const sandbox = await createSandbox();
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  const { of, problems } = await readConfig(sandbox);
  expect(problems).toEqual([]);
  for (const key of KEYS.filter((one) => one !== 'features')) {
    expect(of(key)).toMatchObject({ setting: key, from: [], overrode: [] });
  }
  expect(of('core')?.value).toBe(sandbox.core);
  expect(of('store')?.value).toEqual([join(sandbox.home, '.cache', 'annex', sandbox.core)]);
  const { code, stdout } = await sandbox.annex(['config']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^timeout +300 \(default\)$/m);
  expect(stdout).toMatch(/^features +kit\n +from annex\.features in \S+\/app\/package\.json$/m);
});

test('a value has its origin, and what it overrode', async () => {
  const sandbox = await createSandbox();
  const path = join(sandbox.core, 'package.json');
  sandbox.setCore({ features: { kit: '^1.0.0' }, allowInstalls: false, blocked: ['axios'] });
  const file = sandbox.write('operator.json', { timeout: 5, blocked: ['left-pad@<2'] });
  const env = { ANNEX_CONFIG: file, ANNEX_ALLOW_INSTALLS: '1', ANNEX_STORE: '/data:/baked' };
  const { of, problems } = await readConfig(sandbox, { env });
  expect(problems).toEqual([]);
  expect(of('allowInstalls')).toEqual({
    setting: 'allowInstalls',
    value: false,
    from: [{ source: 'package.json', place: `annex.allowInstalls in ${path}`, value: false }],
    overrode: [{ source: 'environment', place: 'ANNEX_ALLOW_INSTALLS', value: true }],
  });
  expect(of('timeout')).toMatchObject({ value: 5, from: [{ place: `timeout in ${file}` }] });
  expect(of('blocked')).toMatchObject({
    value: ['left-pad@<2', 'axios'],
    from: [{ source: 'operator file' }, { source: 'package.json' }],
  });
  const { stdout } = await sandbox.annex(['config'], { env });
  expect(stdout).toMatch(/^store +\/data:\/baked\n +from ANNEX_STORE$/m);
  expect(stdout).toMatch(/^ +overrides ANNEX_ALLOW_INSTALLS: true$/m);
});

test('what is invalid or misspelled is listed, with what counts instead', async () => {
  const sandbox = await createSandbox();
  sandbox.setCore({ features: { kit: '^1.0.0' }, conflict: 'nest' });
  const env = { ANNEX_LOG: 'loud', ANNEX_SEAL: '0', ANNEX_STROE: '/data', ANNEX_STORE: 'data' };
  const { of, problems } = await readConfig(sandbox, { env });
  expect(of('sealed')).toMatchObject({ value: true, from: [{ isMisspelled: true }] });
  expect(of('log')).toMatchObject({ value: 'info', from: [{ place: 'ANNEX_LOG' }] });
  expect(of('conflicts')).toMatchObject({ value: 'fail', from: [] });
  expect(problems.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^ANNEX_LOG is "loud", .* taken as "info"$/),
    expect.stringMatching(/^ANNEX_SEAL is not known .* counts as ANNEX_SEALED: true$/),
    expect.stringMatching(/^annex\.conflict in \S+ is not known to this version and does nothing$/),
    expect.stringMatching(/^the store data is not an absolute path$/),
    'ANNEX_STROE is not known to this version and does nothing',
  ]);
  const { stdout } = await sandbox.annex(['config'], { env });
  expect(stdout).toMatch(/^ +from ANNEX_SEAL, misspelled$/m);
  expect(stdout).toMatch(/^annex: ANNEX_STROE .* Now: rename it to ANNEX_STORE, or unset it$/m);
});

test('without an application, the settings of the environment are printed', async () => {
  const sandbox = await createSandbox();
  const env = { ANNEX_CONFIG: '/absent.json', ANNEX_SEALED: '1' };
  const { of, problems } = await readConfig(sandbox, { env, cwd: 'home' });
  expect(of('sealed')).toMatchObject({ value: true, from: [{ place: 'ANNEX_SEALED' }] });
  expect(problems.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^no package\.json declares features/),
    expect.stringMatching(/^the operator's file \/absent\.json does not exist/),
  ]);
});

test('no secret is printed', async () => {
  const sandbox = await createSandbox();
  sandbox.setCore({ features: { kit: 'https://me:hush@host/kit.tgz' } });
  const env = {
    ANNEX_TOKEN: 'hush',
    ANNEX_STORES: 'hush',
    ANNEX_CONFIG: 'https://me:hush@host/',
    ANNEX_LOG: 'token=hush',
    npm_config__authToken: 'hush',
  };
  for (const args of [['config'], ['config', '--json']]) {
    const { stdout, stderr } = await sandbox.annex(args, { env });
    expect(stdout).toContain('ANNEX_STORES');
    expect(stdout + stderr).not.toContain('hush');
  }
});
