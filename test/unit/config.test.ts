/** Reading the environment and the operator's file: whatever is wrong becomes the restrictive value, and is said. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig, readInstallerEnv } from '../../src/config.ts';
import { readOperatorBlocked } from '../../src/operator.ts';
import { removeTree } from '../support/tree.ts';

function makeDirectory(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'annex-config-'));
  onTestFinished(() => removeTree(directory));
  return directory;
}

/** Writes an operator's file. Returns its path. */
function writeOperator(content: string): string {
  const path = join(makeDirectory(), 'operator.json');
  writeFileSync(path, content);
  return path;
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

describe("the operator's file", () => {
  test('is a file: nothing is read from a pipe or a device, which might never end', () => {
    const { operator } = readConfig({ ANNEX_CONFIG: '/dev/null' });
    expect(operator).toMatchObject({ problem: 'cannot be read' });
  });

  test.each([
    ['{}', { allowInstalls: undefined }, 300_000],
    ['{"allowInstalls": true}', { allowInstalls: true }, 300_000],
    ['{"allowInstalls": "off", "timeout": 3}', { allowInstalls: false }, 3_000],
    ['{"timeout": 0.5}', { allowInstalls: undefined }, 500],
  ])('%s', (content, operator, timeout) => {
    const path = writeOperator(content);
    expect(readConfig({ ANNEX_CONFIG: path })).toMatchObject({
      operator: { path, ...operator },
      timeout,
      notices: [],
    });
  });

  test.each(['', '{', 'allowInstalls: true', '[]', 'null', '"true"', 'true', '\uFEFF{}'])(
    'content %j is a problem',
    (content) => {
      const path = writeOperator(content);
      const { operator } = readConfig({ ANNEX_CONFIG: path });
      expect(operator).toMatchObject({ path, problem: expect.any(String) });
    },
  );

  test('missing, relative, a directory and unnamed are problems', () => {
    const missing = join(makeDirectory(), 'missing.json');
    for (const path of [missing, 'operator.json', makeDirectory(), '']) {
      const { operator } = readConfig({ ANNEX_CONFIG: path });
      expect(operator).toMatchObject({ path, problem: expect.any(String) });
    }
  });

  test('allowInstalls that is no boolean is false, and said', () => {
    const path = writeOperator('{"allowInstalls": "perhaps"}');
    const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(operator).toEqual({ path, allowInstalls: false });
    expect(notices).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('allowInstalls') }),
    ]);
  });

  test.each(['load', 'first-use', 'off'])('verify %j is taken', (verify) => {
    const { notices, ...config } = readConfig({
      ANNEX_CONFIG: writeOperator(JSON.stringify({ verify })),
    });
    expect(config.verify).toBe(verify);
    expect(notices).toEqual([]);
  });

  test.each(['never', false, null, ['off']])('verify %j is said and taken as load', (verify) => {
    const config = readConfig({ ANNEX_CONFIG: writeOperator(JSON.stringify({ verify })) });
    expect(config.verify).toBe('load');
    expect(config.notices).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/^verify in .*; taken as load$/) }),
    ]);
  });

  test.each([0, -1, 86_401, '30', null, 1e99])('timeout %j is said and not taken', (timeout) => {
    const path = writeOperator(JSON.stringify({ timeout }));
    const config = readConfig({ ANNEX_CONFIG: path });
    expect(config.timeout).toBe(300_000);
    expect(config.notices).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('timeout') }),
    ]);
  });

  test('an unknown key is said', () => {
    const path = writeOperator('{"mirrors": ["x"]}');
    expect(readConfig({ ANNEX_CONFIG: path }).notices).toEqual([
      expect.objectContaining({ reason: expect.stringContaining('mirrors') }),
    ]);
  });

  test.each(['allowInstall', 'allow-installs', 'AllowInstalls'])(
    'the key %s counts as allowInstalls: false, whatever it says',
    (key) => {
      for (const value of [false, true]) {
        const path = writeOperator(JSON.stringify({ [key]: value, allowInstalls: true }));
        const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
        expect(operator).toEqual({ path, allowInstalls: false });
        expect(notices).toEqual([
          {
            code: 'ANNEX_INVALID_CONFIG',
            reason: `${key} in ${path} is not known to this version and is taken for allowInstalls: false`,
            hint: 'rename it to allowInstalls, or use a version of annex that knows it',
          },
        ]);
      }
    },
  );

  test.each(['block', 'blockd', 'Blocked'])('the key %s closes the gate', (key) => {
    const path = writeOperator(JSON.stringify({ [key]: ['axios'] }));
    const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(operator?.problem).toBe(
      `has an invalid list of blocked versions: ${key} is not known to this version and is taken for blocked`,
    );
    expect(notices).toEqual([]);
    const known = [{ name: 'kit', range: '*', spec: 'kit', by: path }];
    expect(readOperatorBlocked(path, known)).toEqual(known);
  });

  test('a key that is near to no switch does nothing, and what would be known is said', () => {
    const path = writeOperator('{"timeOuts": 5}');
    const { timeout, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(timeout).toBe(300_000);
    expect(notices[0]?.reason).toMatch(/timeOuts in .* does nothing: timeout would be known$/);
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

describe("what the operator's file blocks", () => {
  const item = (path: string, name: string) => ({ name, range: '*', spec: name, by: path });

  test('is read, under its path', () => {
    const path = writeOperator('{"blocked": ["axios", {"spec": "exa-js@1.9.4", "reason": "no"}]}');
    const config = readConfig({ ANNEX_CONFIG: path });
    expect(config.blocked).toEqual([
      item(path, 'axios'),
      { name: 'exa-js', range: '1.9.4', spec: 'exa-js@1.9.4', reason: 'no', by: path },
    ]);
    expect(config).toMatchObject({ operator: { path }, notices: [] });
  });

  test('with a range that is none: every version, and it is said', () => {
    const path = writeOperator('{"blocked": ["axios@latest"]}');
    const { blocked, notices } = readConfig({ ANNEX_CONFIG: path });
    expect(blocked).toMatchObject([{ name: 'axios', range: '*' }]);
    const reason = `blocked[0] in ${path} has a range that is none; every version of axios is blocked`;
    expect(notices).toMatchObject([{ code: 'ANNEX_INVALID_CONFIG', reason }]);
  });

  test.each(['"axios"', '[1]', '["axios", "*"]', '{}', 'null'])(
    'as %s is invalid: nothing is installed',
    (value) => {
      const path = writeOperator(`{"blocked": ${value}}`);
      const { operator, notices } = readConfig({ ANNEX_CONFIG: path });
      expect(operator).toMatchObject({
        path,
        problem: expect.stringContaining('has an invalid list'),
      });
      expect(notices).toEqual([]);
    },
  );

  test('is read again; what cannot be read, or not all of it, leaves what was known', () => {
    const path = writeOperator('{"blocked": ["axios"]}');
    const known = [item(path, 'known')];
    expect(readOperatorBlocked(path, known)).toEqual([item(path, 'axios')]);
    for (const [text, read] of [
      ['{}', []],
      ['{"blocked": []}', []],
      ['{"blocked": ["axi', known],
      ['[]', known],
      ['{"blocked": "axios"}', known],
      ['{"blocked": ["axios", 1]}', [...known, item(path, 'axios')]],
    ] as const) {
      writeFileSync(path, text);
      expect(readOperatorBlocked(path, known)).toEqual(read);
    }
    rmSync(path);
    expect(readOperatorBlocked(path, known)).toEqual(known);
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
