/** Settings of the environment, and of the .npmrc files that it names. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig, readInstallerEnv } from '../../../src/settings/environment.ts';
import { removeTree } from '../../support/tree.ts';

function makeDirectory(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'annex-config-'));
  onTestFinished(() => removeTree(directory));
  return directory;
}

describe('switches of the environment', () => {
  test('unset, they restrict nothing', () => {
    expect(readConfig({})).toEqual({
      core: undefined,
      stores: [],
      isSealed: false,
      allowInstalls: undefined,
      operator: undefined,
      blocked: [],
      timeout: 300_000,
      isDurable: true,
      verify: 'load',
      log: 'info',
      cacheDir: undefined,
      notices: [],
    });
  });

  test.each([
    ['ANNEX_SEALED', 'TRUE', { isSealed: true }],
    ['ANNEX_SEALED', 'off', { isSealed: false }],
    ['ANNEX_ALLOW_INSTALLS', 'Yes', { allowInstalls: true }],
    ['ANNEX_ALLOW_INSTALLS', '0', { allowInstalls: false }],
  ])('%s=%s', (name, value, read) => {
    expect(readConfig({ [name]: value })).toMatchObject({ ...read, notices: [] });
  });

  test.each([
    ['ANNEX_SEALED', 'sealed', { isSealed: true }],
    ['ANNEX_SEALED', '', { isSealed: true }],
    ['ANNEX_ALLOW_INSTALLS', 'please', { allowInstalls: false }],
    ['ANNEX_ALLOW_INSTALLS', '', { allowInstalls: false }],
  ])('%s=%j is no boolean: the restrictive value, and a notice', (name, value, read) => {
    const { notices, ...config } = readConfig({ [name]: value });
    expect(config).toMatchObject(read);
    expect(notices).toEqual([
      {
        code: 'ANNEX_INVALID_CONFIG',
        reason: expect.stringContaining(`${name} is ${JSON.stringify(value)}, not a boolean`),
        hint: expect.stringContaining(name),
      },
    ]);
  });

  test('ANNEX_STORE is a list; nothing in it is no store', () => {
    const list = ['/store', '', '/layer', ''].join(delimiter);
    expect(readConfig({ ANNEX_STORE: list }).stores).toEqual(['/store', '/layer']);
    expect(readConfig({ ANNEX_STORE: '' }).stores).toEqual([]);
    expect(readConfig({ ANNEX_STORE: delimiter }).stores).toEqual([]);
  });

  test('an empty first place does not make the store of a layer', () => {
    expect(readConfig({ ANNEX_STORE: `${delimiter}/layer` }).stores).toEqual(['', '/layer']);
  });

  test('an unknown log level is said and taken as info', () => {
    expect(readConfig({ ANNEX_LOG: 'json' })).toMatchObject({ log: 'json', notices: [] });
    const { log, notices } = readConfig({ ANNEX_LOG: 'loud' });
    expect(log).toBe('info');
    expect(notices).toHaveLength(1);
  });

  test.each([
    [{ XDG_CACHE_HOME: '/xdg', HOME: '/home/x' }, '/xdg'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/home/x' }, '/home/x/.cache'],
    [{ HOME: '/home/x' }, '/home/x/.cache'],
    [{ HOME: 'relative' }, undefined],
    [{ HOME: '' }, undefined],
    [{}, undefined],
  ])('the cache directory of %j is %j', (env, cacheDir) => {
    expect(readConfig(env).cacheDir).toBe(cacheDir);
  });
});

describe('variables whose name is near to that of a switch', () => {
  test.each([
    ['ANNEX_ALLOW_INSTALL', 'ANNEX_ALLOW_INSTALLS', { allowInstalls: false }],
    ['ANNEX_ALLOWINSTALLS', 'ANNEX_ALLOW_INSTALLS', { allowInstalls: false }],
    ['ANNEX_SEAL', 'ANNEX_SEALED', { isSealed: true }],
  ])('%s counts as %s, at its restrictive value', (name, meant, read) => {
    const { notices, ...config } = readConfig({ [name]: '1' });
    expect(config).toMatchObject(read);
    expect(notices).toEqual([
      {
        code: 'ANNEX_INVALID_CONFIG',
        reason: `${name} is not a variable of annex; it is taken for ${meant}, at its restrictive value`,
        hint: `rename it to ${meant}, or unset it`,
      },
    ]);
  });

  test.each(['ANNEX_TEST_SEED', 'ANNEXE_SEALED', 'ANNEX_STORES'])('%s does not', (name) => {
    expect(readConfig({ [name]: '1' })).toMatchObject({ isSealed: false, notices: [] });
  });
});

describe('what an .npmrc refers to comes along', () => {
  const ask = (root: string) => ({ core: { root }, startEnv: {} });
  const rc = (name: string) => `//registry.corp/:_authToken=\${${name}}\n`;

  test("the core's, and the user's own or the one that npm is pointed to", () => {
    const directory = makeDirectory();
    const [root = '', home = '', elsewhere = ''] = ['core', 'home', 'other'].map((name) => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, '.npmrc'), rc(`${name.toUpperCase()}_TOKEN`));
      return join(directory, name);
    });
    const own = { HOME: home, CORE_TOKEN: 'a' };
    const env = { ...own, HOME_TOKEN: 'b', OTHER_TOKEN: 'c' };
    expect(readInstallerEnv(ask(root), env)).toEqual({ ...own, HOME_TOKEN: 'b' });
    for (const name of ['npm_config_userconfig', 'NPM_CONFIG_USERCONFIG']) {
      const pointed = { [name]: join(elsewhere, '.npmrc') };
      const expected = { ...own, ...pointed, OTHER_TOKEN: 'c' };
      expect(readInstallerEnv(ask(root), { ...env, ...pointed })).toEqual(expected);
    }
  });

  test('those that are not there are passed over', () => {
    const env = { HOME: join(makeDirectory(), 'nowhere'), SECRET: 's' };
    expect(readInstallerEnv(ask('/nowhere'), env)).toEqual({ HOME: env.HOME });
  });

  test('what a thread was lent yields to its own variables, and annex’s own settings never change', () => {
    const startEnv = { PATH: '/lent', HOME: '/nowhere', ANNEX_LOG: 'debug' };
    const env = { PATH: '/own', ANNEX_LOG: 'silent', ANNEX_SEALED: '0' };
    const expected = { PATH: '/own', HOME: '/nowhere', ANNEX_LOG: 'debug' };
    expect(readInstallerEnv({ ...ask('/nowhere'), startEnv }, env)).toEqual(expected);
  });
});
