/** The environment: the cache directory, and the variables that an installer gets. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findCacheDir } from '../../../src/base/environment.ts';
import { readInstallerEnv } from '../../../src/settings/environment.ts';
import { removeTree } from '../../support/tree.ts';

function makeDirectory(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'annex-config-'));
  onTestFinished(() => removeTree(directory));
  return directory;
}

test.each([
  [{ XDG_CACHE_HOME: '/xdg', HOME: '/home/x' }, '/xdg'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/home/x' }, '/home/x/.cache'],
  [{ HOME: '/home/x' }, '/home/x/.cache'],
  [{ HOME: 'relative' }, undefined],
  [{ HOME: '' }, undefined],
  [{}, undefined],
])('the cache directory of %j is %j', (env, cacheDir) => {
  expect(findCacheDir(env)).toBe(cacheDir);
});

describe('an installer gets the variables that an .npmrc refers to', () => {
  const ask = (root: string) => ({ core: { root }, startEnv: {} });
  const rc = (name: string) => `//registry.corp/:_authToken=\${${name}}\n`;

  test("of the core, and of the user or the file that npm's setting names", () => {
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

  test('missing .npmrc files are ignored', () => {
    const env = { HOME: join(makeDirectory(), 'nowhere'), SECRET: 's' };
    expect(readInstallerEnv(ask('/nowhere'), env)).toEqual({ HOME: env.HOME });
  });

  test('variables of the thread override inherited ones, and the variables of annex are those of the start', () => {
    const startEnv = { PATH: '/lent', HOME: '/nowhere', ANNEX_LOG: 'debug' };
    const env = { PATH: '/own', ANNEX_LOG: 'silent', ANNEX_SEALED: '0' };
    const expected = { PATH: '/own', HOME: '/nowhere', ANNEX_LOG: 'debug' };
    expect(readInstallerEnv({ ...ask('/nowhere'), startEnv }, env)).toEqual(expected);
  });
});
