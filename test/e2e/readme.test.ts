/** The README alone, in an empty directory: its commands and programs run as written, against a registry on loopback. */
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { packRepository } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { openReader, type Reader, runPage } from '../support/run-page.ts';
import { asPlainUser } from '../support/user.ts';

const LOADED = 'exa-js is loaded\n';

let registry: Registry;

beforeAll(async () => {
  const exa = esmPackage('exa-js', '1.10.3', '', { exports: './index.js' });
  const files = { 'index.js': 'export default class Exa {}\nconsole.log("exa-js is loaded");' };
  registry = await startRegistry([packRepository(), { ...exa, files }]);
});

describe.each(nodes)('$label', (node) => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await openReader(registry);
    mkdirSync(join(reader.sandbox.root, 'empty'));
  });

  /** Runs a script in the directory, with a store. */
  const shell = (script: string, env = {}) =>
    reader.shell(script, {
      node: node.path,
      cwd: 'empty',
      env: { ANNEX_STORE: reader.sandbox.store, ...env },
    });

  /** Writes a program and runs it: its first line names its file and how it is started. */
  const start = (code: string, env = {}) => {
    const [, file = '', command = ''] = /^\/\/ (\S+): (node .*)/.exec(code) ?? [];
    reader.sandbox.write(`empty/${file}`, code);
    return shell(command, env);
  };

  runPage('README.md', {
    'Install: sh': async (code) => {
      const { code: exit, stdout, stderr } = await shell(code);
      expect({ exit, stderr }).toMatchObject({ exit: 0 });
      expect(stdout).toContain('declared exa-js ^1.9 in');
    },
    'Start: js': async (code) => {
      expect(await start(code)).toMatchObject({ code: 0, stdout: LOADED });
    },
    'Start: sh': async (code) => {
      expect(await shell(code)).toMatchObject({ code: 0, stdout: LOADED, stderr: '' });
    },
    'In an image: dockerfile': async (code) => {
      const { sandbox, build, succeed } = reader;
      const filter = (path: string) => !path.endsWith('node_modules');
      const context = join(sandbox.root, 'source');
      cpSync(join(sandbox.root, 'empty'), context, { recursive: true, filter });
      const { env, cwd } = await build(code, { node: node.path });
      const options = { ...asPlainUser, node: node.path, env, cwd };
      expect(await succeed('node main.mjs', options)).toBe(LOADED);
    },
    'When a package is unavailable: js': async (code) => {
      expect(await start(code)).toMatchObject({ code: 0, stdout: LOADED });
      const ANNEX_STORE = join(reader.sandbox.root, 'volume', 'new');
      expect(await start(code, { ANNEX_STORE, ANNEX_ALLOW_INSTALLS: '0' })).toMatchObject({
        code: 0,
        stdout: 'exa-js is unavailable: ANNEX_DENIED unset ANNEX_ALLOW_INSTALLS\n',
        stderr: expect.stringMatching(/^annex: exa-js unavailable \(ANNEX_DENIED\): .*\n$/),
      });
    },
  });
});
