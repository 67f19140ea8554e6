/** Every way to start a program: flags, entry files, --eval, standard input, the REPL, the test runner, TypeScript. */
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import { dropSlowness } from '../support/process.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';
const PACKAGES = [esmPackage('esm-only', '1.0.0', MARKER), cjsPackage('cjs-only', '1.0.0', MARKER)];
const BOTH = `${MARKER}\n${MARKER}\n`;

const STATIC = `import { marker } from 'esm-only';
import cjs from 'cjs-only';
console.log(marker); console.log(cjs.marker);`;
const DYNAMIC = `const { marker } = await import('esm-only');
console.log(marker); console.log((await import('cjs-only')).default.marker);`;
const COMMON = `console.log(require('cjs-only').marker);
import('esm-only').then(({ marker }) => console.log(marker));`;

/** Type stripping without a flag. https://nodejs.org/docs/latest-v22.x/api/typescript.html */
const hasTypes = ({ major, minor }: NodeUnderTest): boolean =>
  major > 22 || (major === 22 && minor >= 18);

describe.each(nodes)('$label', (tested) => {
  const { path: node, major } = tested;
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await createSandbox();
    sandbox.setCore({ features: { 'esm-only': '^1.0.0', 'cjs-only': '^1.0.0', absent: '*' } });
    for (const pkg of PACKAGES) {
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '^1.0.0' } });
    }
    sandbox.write('app/static.mjs', STATIC);
    sandbox.write('app/dynamic.mjs', DYNAMIC);
    sandbox.write('app/common.cjs', COMMON);
  });

  /** Output of a program; anything on stderr fails. */
  async function print(args: string[], { env, ...options }: RunOptions = {}): Promise<string> {
    const off = { ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'error' };
    const all = { ANNEX_STORE: sandbox.store, ...off, ...env };
    const run = await sandbox.run(args, { node, env: all, ...options });
    expect({ ...run, args }).toMatchObject({ code: 0, stderr: '' });
    return run.stdout;
  }

  test('the loader can be named by package, by path or by URL', async () => {
    const { loader } = sandbox;
    for (const name of ['annex/loader.mjs', loader, './node_modules/annex/loader.mjs']) {
      expect(await print(['--import', name, 'static.mjs'])).toBe(BOTH);
      expect(await print(['--require', name, 'static.mjs'])).toBe(BOTH);
    }
    const { href } = pathToFileURL(loader);
    expect(await print(['--import', href, 'static.mjs'])).toBe(BOTH);
    expect(await print(['static.mjs'], { env: { NODE_OPTIONS: `--import=${href}` } })).toBe(BOTH);
    expect(
      await print(['static.mjs'], { cwd: 'app', env: { NODE_OPTIONS: '-r annex/loader.mjs' } }),
    ).toBe(BOTH);
  });

  test('by path it works from any working directory', async () => {
    const args = ['--import', sandbox.loader, `${sandbox.core}/static.mjs`];
    expect(await print(args, { cwd: 'home' })).toBe(BOTH);
  });

  test("import 'annex/register' serves the import() of its entry, and a whole program behind one", async () => {
    sandbox.write('app/register.mjs', `import 'annex/register';\n${DYNAMIC}`);
    sandbox.write('app/behind.mjs', `import 'annex/register';\nawait import('./static.mjs');`);
    sandbox.write('app/register.cjs', `require('annex/register');\n${COMMON}`);
    expect(await print(['register.mjs'])).toBe(BOTH);
    expect(await print(['behind.mjs'])).toBe(BOTH);
    expect(await print(['register.cjs'])).toBe(BOTH);
  });

  test("import 'annex/register' is too late for static imports of the same file, as Node links first", async () => {
    sandbox.write('app/late.mjs', `import 'annex/register';\n${STATIC}`);
    const run = await sandbox.run(['late.mjs'], { node, env: { ANNEX_STORE: sandbox.store } });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("code: 'ERR_MODULE_NOT_FOUND'");
  });

  test.each(['--import', '--require'])(
    '%s: --eval, --print and standard input, as CommonJS and as a module',
    async (flag) => {
      const preload = [flag, sandbox.loader];
      const module = '--input-type=module';
      expect(await print([...preload, '--eval', COMMON])).toBe(BOTH);
      expect(await print([...preload, module, '--eval', STATIC])).toBe(BOTH);
      expect(await print([...preload, '--print', `require('cjs-only').marker`])).toBe(
        `${MARKER}\n`,
      );
      expect(await print(preload, { input: COMMON })).toBe(BOTH);
      expect(await print([...preload, '-'], { input: COMMON })).toBe(BOTH);
      expect(await print([...preload, module], { input: DYNAMIC })).toBe(BOTH);
    },
  );

  test('G3: code on the command line uses the core of its working directory, if there is one', async () => {
    const code = `import('esm-only').then(({ marker }) => console.log(marker), ({ code }) => console.log(code));`;
    const args = ['--import', sandbox.loader, '--eval', code];
    sandbox.write('app/below/readme.txt', '');
    expect(await print(args, { cwd: 'app/below' })).toBe(`${MARKER}\n`);
    expect(await print(args, { cwd: 'home' })).toBe('ERR_MODULE_NOT_FOUND\n');
    const env = { ANNEX_CORE: sandbox.core };
    expect(await print(args, { cwd: 'home', env })).toBe('ERR_MODULE_NOT_FOUND\n');
  });

  test.each(['--import', '--require'])('%s: the REPL', async (flag) => {
    const input = `require('cjs-only').marker
(await import('esm-only')).marker
require.resolve('absent')
.exit
`;
    const env = { NODE_REPL_HISTORY: '' };
    const output = await print([flag, sandbox.loader, '--interactive'], { input, env });
    expect(output.match(/'from the store'/g)).toHaveLength(2);
    expect(output).toContain("code: 'MODULE_NOT_FOUND'");
    expect(output).toContain('annex: absent unavailable (ANNEX_DENIED)');
  });

  test.each(['--import', '--require'])('%s: node --test', async (flag) => {
    const body = `import { test } from 'node:test';
      import assert from 'node:assert';
      import { createRequire } from 'node:module';
      import { marker } from 'esm-only';
      test('the feature loads', () => {
        assert.equal(marker, '${MARKER}');
        assert.equal(createRequire(import.meta.url)('cjs-only').marker, '${MARKER}');
      });`;
    sandbox.write('app/first.test.mjs', body);
    sandbox.write('app/second.test.mjs', body);
    const files = ['first.test.mjs', 'second.test.mjs'];
    const output = await print([flag, sandbox.loader, '--test', '--test-reporter=tap', ...files]);
    expect(output).toMatch(/^# pass 2$/m);
    expect(output).toMatch(/^# fail 0$/m);
  });

  test.runIf(hasTypes(tested))('an entry in TypeScript', async () => {
    sandbox.write(
      'app/entry.ts',
      `import { createRequire } from 'node:module';
       import { marker } from 'esm-only';
       const require: NodeJS.Require = createRequire(import.meta.url);
       type Cjs = { marker: string };
       console.log(marker); console.log((require('cjs-only') as Cjs).marker);`,
    );
    sandbox.write(
      'app/entry.cts',
      `const { marker }: { marker: string } = require('cjs-only');\n${COMMON}`,
    );
    for (const flag of ['--import', '--require']) {
      const flags = [flag, sandbox.loader, '--disable-warning=ExperimentalWarning'];
      expect(await print([...flags, 'entry.ts'])).toBe(BOTH);
      expect(await print([...flags, 'entry.cts'])).toBe(BOTH);
    }
  });

  test.each([
    ['--preserve-symlinks', '--preserve-symlinks-main'],
    ['--pending-deprecation', '--throw-deprecation', '--trace-warnings'],
    ['--frozen-intrinsics', '--disable-warning=ExperimentalWarning'],
    ['--enable-source-maps', '--no-addons', '--disable-proto=delete', '--experimental-vm-modules'],
  ])('beside %s %s', async (...flags) => {
    for (const main of ['static.mjs', 'common.cjs']) {
      expect(await print(['--import', sandbox.loader, ...flags, main])).toBe(BOTH);
    }
  });

  test('if require() accepts no ES modules, --import still works', async () => {
    const flag = '--no-experimental-require-module';
    expect(await print(['--import', sandbox.loader, flag, 'common.cjs'])).toBe(BOTH);
  });

  test('imports of a required ES module resolve from the store since Node 22; Node 20 calls no hook', async () => {
    sandbox.write('app/module.mjs', `export { marker } from 'esm-only';`);
    sandbox.write(
      'app/requires.cjs',
      `const attempt = (ask) => { try { return ask().marker; } catch ({ code }) { return code; } };
       console.log(attempt(() => require('./module.mjs')));
       console.log(attempt(() => require('esm-only')));`,
    );
    const flags = ['--disable-warning=ExperimentalWarning', '--import', sandbox.loader];
    const answer = major >= 22 ? MARKER : 'ERR_MODULE_NOT_FOUND';
    expect(await print([...flags, 'requires.cjs'])).toBe(`${answer}\n${MARKER}\n`);
  });

  test('a main without a type, in a core that has none', async () => {
    sandbox.write('app/lib/package.json', {});
    sandbox.write('app/lib/odd.js', COMMON);
    sandbox.write('app/lib/odd', COMMON);
    expect(await print(['--require', sandbox.loader, 'lib/odd.js'])).toBe(BOTH);
    expect(await print(['--require', sandbox.loader, 'lib/odd'])).toBe(BOTH);
  });

  test('--require keeps module.id, module.parent and require.main of a CommonJS main', async () => {
    const code = `console.log(JSON.stringify([module.id, module.parent, require.main === module]));`;
    sandbox.write('app/main.cjs', code);
    const plain = await print(['main.cjs']);
    expect(await print(['--require', sandbox.loader, 'main.cjs'])).toBe(plain);
    expect(JSON.parse(plain)).toEqual(['.', null, true]);
  });

  test('a start with the loader loads neither node:child_process nor node:crypto', async () => {
    sandbox.write(
      'app/loaded.cjs',
      `const heavy = /^NativeModule (?:child_process|crypto)$/;
       console.log(JSON.stringify(process.moduleLoadList.filter((name) => heavy.test(name))));`,
    );
    for (const flag of ['--import', '--require']) {
      expect(await print([flag, sandbox.loader, 'loaded.cjs'])).toBe('[]\n');
    }
    expect(await print(['--eval', `require('crypto');require('./loaded.cjs')`])).toContain(
      'crypto',
    );
  });
});

describe.each(nodes)('$label, nothing installed yet', ({ path: node }) => {
  test("import 'annex/register' installs what its entry imports", async () => {
    const registry = await startRegistry(PACKAGES);
    const sandbox = await createSandbox({ registry });
    sandbox.setCore({ features: { both: { packages: { 'esm-only': '*', 'cjs-only': '*' } } } });
    sandbox.write('app/register.mjs', `import 'annex/register';\n${DYNAMIC}`);
    const env = { ANNEX_STORE: sandbox.store };
    const first = await sandbox.run(['register.mjs'], { node, env });
    expect(first).toMatchObject({ code: 0, stdout: BOTH });
    expect(dropSlowness(first.stderr)).toMatch(
      /^annex: installing both .*\nannex: installed .*\n$/,
    );
    await registry.stop();
    const second = await sandbox.run(['register.mjs'], { node, env });
    expect(second).toMatchObject({ code: 0, stdout: BOTH, stderr: '' });
  });
});
