/** The core is the nearest package.json above the entry script that declares features, unless ANNEX_CORE names another. */
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';
const NEEDED = cjsPackage('needed', '1.0.0', MARKER);
const FEATURES = { features: { needed: '^1.0.0' } };

describe.each(nodes)('$label', ({ path: node }) => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await createSandbox();
    sandbox.setCore(FEATURES);
    const probe = `
      import { status } from 'annex';
      const { core, features } = status();
      const marker = await import('needed').then(({ marker }) => marker, ({ code }) => code);
      console.log(JSON.stringify([core, features.map(({ feature }) => feature), marker]));`;
    sandbox.plantEntry({ feature: 'needed', packages: [NEEDED], specs: { needed: '^1.0.0' } });
    sandbox.write('app/app.mjs', probe);
    sandbox.write('app/silent/package.json', { name: 'silent', type: 'module' });
    sandbox.write('app/silent/app.mjs', probe);
    sandbox.write('app/mentions/package.json', { description: 'works with "annex"', annex: null });
    sandbox.write('app/mentions/app.mjs', probe);
    sandbox.write('app/inner/package.json', { annex: { features: { other: '*' } } });
    sandbox.write('app/inner/app.mjs', probe);
    sandbox.write('elsewhere/package.json', { annex: { features: { other: '*' } } });
    sandbox.write('elsewhere/app.mjs', probe);
    mkdirSync(join(sandbox.root, 'elsewhere', 'node_modules'));
    symlinkSync(repositoryRoot, join(sandbox.root, 'elsewhere', 'node_modules', 'annex'));
  });

  async function ask(main: string, cwd: string, env: Record<string, string> = {}) {
    const args = ['--import', sandbox.loader, join(sandbox.root, main)];
    const settings = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ...env };
    const { code, stdout, stderr } = await sandbox.run(args, { node, cwd, env: settings });
    expect(code).toBe(0);
    return { answer: JSON.parse(stdout) as unknown, stderr };
  }

  test('the core is the nearest declaring one above the entry script, whatever the working directory', async () => {
    const app = [sandbox.core, ['needed'], MARKER];
    const inner = [join(sandbox.core, 'inner'), ['other'], 'ERR_MODULE_NOT_FOUND'];
    for (const cwd of ['app', 'elsewhere', 'home']) {
      expect(await ask('app/app.mjs', cwd)).toEqual({ answer: app, stderr: '' });
      expect(await ask('app/inner/app.mjs', cwd)).toEqual({ answer: inner, stderr: '' });
    }
  });

  test('a program may be named by its directory, or without its extension', async () => {
    const program = `
      const { core } = require('annex').status();
      console.log(JSON.stringify([core, require('needed').marker]));`;
    sandbox.setCore(FEATURES, { type: 'commonjs', main: './lib/main.js' });
    sandbox.write('app/lib/main.js', program);
    sandbox.write('app/lib/index.js', program);
    const answer = [sandbox.core, MARKER];
    for (const [cwd, main] of [
      ['app', '.'],
      ['app/lib', '..'],
      ['app', 'lib'],
      ['app', './lib/main'],
      ['home', '../app'],
    ] as const) {
      for (const flag of ['--import', '--require']) {
        const env = { ANNEX_STORE: sandbox.store };
        const run = await sandbox.run([flag, sandbox.loader, main], { node, cwd, env });
        expect({ ...run, main, flag }).toMatchObject({ code: 0, stderr: '' });
        expect({ main, flag, answer: JSON.parse(run.stdout) as unknown }).toEqual({
          main,
          flag,
          answer,
        });
      }
    }
  });

  test('G1: --import of a package resolves from the working directory, broken copies included', async () => {
    const world = await createSandbox();
    world.setCore({ features: { needed: '*', broken: '*' } });
    for (const pkg of [NEEDED, { ...NEEDED, name: 'broken' }]) {
      world.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    }
    world.write('app/below/node_modules/broken/readme.txt', '');
    world.write('app/below/empty.mjs', '');
    const run = (name: string) => {
      const args = ['--import', world.loader, '--import', name, 'empty.mjs'];
      return world.run(args, { node, cwd: 'app/below', env: { ANNEX_STORE: world.store } });
    };
    expect(await run('needed')).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await run('broken');
    expect(code).toBe(1);
    expect(stderr).toContain('below/node_modules/broken');
    expect(stderr).not.toContain('annex:');
  });

  test('paths may contain any characters', async () => {
    const world = await createSandbox({ copyAnnex: true });
    const odd = join(world.root, `odd a b #hash %41 ?q 'q' "d" $x ünï`);
    const [core, store] = [join(odd, 'app'), join(odd, 'store')];
    mkdirSync(odd);
    renameSync(world.core, core);
    world.write(join(core, 'package.json'), { name: 'odd', annex: FEATURES });
    world.write(
      join(core, 'app.mjs'),
      `import { createRequire } from 'node:module';
       import { marker } from 'needed';
       const found = createRequire(import.meta.url).resolve('needed');
       console.log(JSON.stringify([marker, found]));`,
    );
    const planted = { feature: 'needed', packages: [NEEDED], specs: { needed: '*' } } as const;
    const entry = world.plantEntry({ store, ...planted });
    const env = { ANNEX_STORE: store };
    const cli = join(core, 'node_modules', 'annex', 'dist', 'cli', 'main.js');
    const printed = await world.run([cli, 'env', '--json'], { node, cwd: core, env });
    const { variables } = JSON.parse(printed.stdout) as { variables: Record<string, string> };
    const { NODE_OPTIONS = '', ANNEX_CORE } = variables;
    expect(ANNEX_CORE).toBe(core);
    for (const [flags, more] of [
      [['--import', 'annex/loader.mjs'], {}],
      [['--require', 'annex/loader.mjs'], {}],
      [[], { NODE_OPTIONS }],
    ] as const) {
      const options = { node, cwd: core, env: { ...env, ...more } };
      const run = await world.run([...flags, 'app.mjs'], options);
      expect({ ...run, flags }).toMatchObject({ code: 0, stderr: '' });
      const file = join(entry, 'node_modules', 'needed', 'index.js');
      expect(JSON.parse(run.stdout)).toEqual([MARKER, file]);
    }
  });

  test('a package.json that declares nothing never wins, even if it depends on annex', async () => {
    const app = { answer: [sandbox.core, ['needed'], MARKER], stderr: '' };
    expect(await ask('app/silent/app.mjs', 'home')).toEqual(app);
    expect(await ask('app/mentions/app.mjs', 'home')).toEqual(app);
  });

  test('G3: ANNEX_CORE overrides, and a program outside it gets nothing from the store', async () => {
    const core = join(sandbox.root, 'elsewhere');
    const other = [core, ['other'], 'ERR_MODULE_NOT_FOUND'];
    for (const ANNEX_CORE of [core, '../elsewhere', `${core}/`]) {
      const found = await ask('app/app.mjs', 'app', { ANNEX_CORE });
      expect(found).toEqual({ answer: other, stderr: '' });
    }
    const env = { ANNEX_CORE: sandbox.core };
    expect(await ask('elsewhere/app.mjs', 'home', env)).toEqual({
      answer: [sandbox.core, ['needed'], 'ERR_MODULE_NOT_FOUND'],
      stderr: expect.stringMatching(
        /^annex: needed unavailable .*lies outside of the application.*\n$/,
      ),
    });
  });

  test('an invalid ANNEX_CORE is reported in one line, and no other core is used', async () => {
    for (const name of ['missing', 'app/app.mjs']) {
      const { answer, stderr } = await ask('app/app.mjs', 'home', {
        ANNEX_CORE: join(sandbox.root, name),
      });
      expect(answer).toEqual([null, [], 'ERR_MODULE_NOT_FOUND']);
      expect(stderr).toMatch(
        /^annex: .*package\.json cannot be read.* \(ANNEX_INVALID_CONFIG\).*\n$/,
      );
    }
  });
});
