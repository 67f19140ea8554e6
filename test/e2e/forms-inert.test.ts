/** Where the loader is inactive, it says so in one line or is silent, and changes nothing. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { annexVersion, repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';
const pkg = esmPackage('esm-only', '1.0.0', MARKER);

/** Records the script of every process at its exit, and whether annex was active in it. */
const WITNESS = `
process.on('exit', () => {
  const line = JSON.stringify([process.argv[1] ?? '', Symbol.for('annex.thread@${annexVersion}') in globalThis]);
  require('node:fs').appendFileSync(__dirname + '/witness.log', line + '\\n');
});`;

const PROBE = `
import('esm-only').then(({ marker }) => console.log(marker), ({ code, cause }) => console.log(code, cause?.code, cause?.hint));`;

describe.each(nodes)('$label', ({ path: node, major }) => {
  /** An application with one installed feature. */
  async function open(): Promise<Sandbox> {
    const sandbox = await createSandbox();
    sandbox.setCore({ features: { 'esm-only': '^1.0.0' } });
    sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { 'esm-only': '^1.0.0' } });
    sandbox.write('app/app.mjs', PROBE);
    return sandbox;
  }

  /** Runs a program with the loader and a store, with installs off. */
  function run(sandbox: Sandbox, args: string[], env: Record<string, string> = {}) {
    const settings = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ...env };
    return sandbox.run(['--import', sandbox.loader, ...args], { node, env: settings });
  }

  test('npm runs as without annex, and programs that it starts can use features', async () => {
    const sandbox = await open();
    sandbox.setCore({ features: { 'esm-only': '^1.0.0' } }, { scripts: { go: 'node app.mjs' } });
    const witness = sandbox.write('witness.cjs', WITNESS);
    const NODE_OPTIONS = `--require=${witness} --import=${sandbox.loader}`;
    for (const args of [['--version'], ['ls', '--all'], ['run', '--silent', 'go']]) {
      const env = { ANNEX_STORE: sandbox.store, npm_config_update_notifier: 'false' };
      const plain = await sandbox.exec('npm', args, { node, env });
      const served = await sandbox.exec('npm', args, { node, env: { ...env, NODE_OPTIONS } });
      const { code, stdout, stderr } = args.includes('go')
        ? { ...plain, stdout: `${MARKER}\n` }
        : plain;
      expect({ ...served, args }).toMatchObject({ code, stdout, stderr, args });
    }
    const lines = readFileSync(join(sandbox.root, 'witness.log'), 'utf8').trim().split('\n');
    const seen = lines.map((line) => JSON.parse(line) as [string, boolean]);
    expect(seen.filter(([, isActive]) => isActive)).toEqual([
      [join(sandbox.core, 'app.mjs'), true],
    ]);
    expect(seen.filter(([script]) => /npm(?:-cli\.js)?$/.test(script))).toHaveLength(3);
  });

  test('an application in a directory named like a package manager is not mistaken for one', async () => {
    const sandbox = await open();
    for (const dir of ['app/npm/lib', 'app/yarn/bin', 'app/annex/dist/cli']) {
      sandbox.write(`${dir}/main.mjs`, PROBE);
      expect(await run(sandbox, [`${dir.slice(4)}/main.mjs`])).toMatchObject({
        stdout: `${MARKER}\n`,
        stderr: '',
      });
    }
  });

  test.each([
    ['no annex key', {}],
    ['no features', { annex: { features: {} } }],
    ['the name annex elsewhere', { dependencies: { annex: '*' }, config: { annex: {} } }],
  ])('a core with %s: silent, and as without annex', async (_, manifest) => {
    const sandbox = await open();
    sandbox.write('app/package.json', { name: 'app', ...manifest });
    const probe = `import { status } from 'annex';\nconsole.log(status().loader);\n${PROBE}`;
    sandbox.write('app/app.mjs', probe);
    expect(await run(sandbox, ['app.mjs'])).toMatchObject({
      code: 0,
      stdout: 'inactive\nERR_MODULE_NOT_FOUND undefined undefined\n',
      stderr: '',
    });
  });

  /** Starts two workers, which must not repeat the line of the main thread. */
  const THREADS = `
    import { isMainThread, Worker } from 'node:worker_threads';
    if (isMainThread) for (const _ of [1, 2]) new Worker(new URL(import.meta.url));
    console.log('it runs');`;

  test('a package.json that does not parse: one line, and the program runs', async () => {
    const sandbox = await open();
    sandbox.write('app/package.json', '{ "annex": { "features": { }');
    sandbox.write('app/app.mjs', THREADS);
    const { code, stdout, stderr } = await run(sandbox, ['app.mjs']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'it runs\n'.repeat(3) });
    expect(stderr).toBe(
      `annex: ${sandbox.core}/package.json does not parse as JSON (ANNEX_INVALID_CONFIG). Now: correct that file\n`,
    );
  });

  test.each([
    ['a list', ['needed']],
    ['a text', 'needed'],
    ['one that lists its packages in a list', { search: { packages: ['needed'] } }],
  ])('features are %s: one line, and the program runs', async (_, features) => {
    const sandbox = await open();
    sandbox.write('app/package.json', { name: 'app', annex: { features } });
    sandbox.write('app/app.mjs', `${THREADS}\nif (isMainThread) await ${PROBE.trim()}`);
    const { code, stderr } = await run(sandbox, ['app.mjs']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^annex: .*\(ANNEX_INVALID_CONFIG\).*\n$/);
  });

  test("a Yarn Plug'n'Play core: one line, and the program runs", async () => {
    const sandbox = await open();
    sandbox.write('app/.pnp.cjs', '');
    sandbox.write('app/app.mjs', `${THREADS}\nif (isMainThread) await ${PROBE.trim()}`);
    const { code, stdout, stderr } = await run(sandbox, ['app.mjs']);
    expect({ code, lines: stdout.split('\n').sort() }).toEqual({
      code: 0,
      lines: ['', 'ERR_MODULE_NOT_FOUND undefined undefined', 'it runs', 'it runs', 'it runs'],
    });
    expect(stderr).toMatch(/^annex: .*Plug'n'Play.* \(ANNEX_INVALID_CONFIG\)\. Now: .*\n$/);
  });

  test('a program that is started as an installer by mistake ends before it does anything', async () => {
    const sandbox = await open();
    const env = { ANNEX_INSTALLER: '1', ANNEX_STORE: sandbox.store };
    const line = 'annex: started as an installer, but this program is not annex; exiting\n';
    const starts = {
      'app.mjs': `console.log('the application ran');`,
      'register.mjs': `import 'annex/register';\nconsole.log('the application ran');`,
      'register.cjs': `require('annex/register');\nconsole.log('the application ran');`,
      'interface.mjs': `import { ensure } from 'annex';\nconsole.log('the application ran');`,
    };
    for (const [name, content] of Object.entries(starts)) {
      sandbox.write(`app/${name}`, content);
      const flags = name === 'app.mjs' ? ['--import', sandbox.loader] : [];
      const ended = await sandbox.run([...flags, name], { node, env });
      expect({ ...ended, name }).toMatchObject({ code: 70, stdout: '', stderr: line });
    }
  });

  test('the command line is not such a program, whatever NODE_OPTIONS contains', async () => {
    const sandbox = await open();
    const NODE_OPTIONS = `--import=${sandbox.loader}`;
    const env = { ANNEX_INSTALLER: '1', ANNEX_STORE: sandbox.store, NODE_OPTIONS };
    const listed = await sandbox.annex(['list', '--json'], { node, env });
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(listed.stdout).features).toMatchObject([
      { feature: 'esm-only', where: 'store' },
    ]);
  });

  describe('under the permission model', () => {
    const flag = major >= 22 ? '--permission' : '--experimental-permission';
    const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning'];
    const allow = (...paths: string[]) => paths.map((path) => `--allow-fs-read=${path}`);
    const worker = major >= 22 ? [] : ['--allow-worker'];

    test('without permission to read the store, a miss is Node’s own error', async () => {
      const sandbox = await open();
      const rights = [flag, ...quiet, ...worker, ...allow(sandbox.core, repositoryRoot)];
      const served = await run(sandbox, [...rights, 'app.mjs']);
      const plain = await sandbox.run([...rights, 'app.mjs'], { node });
      expect(served.code).toBe(plain.code);
      expect(served.stdout.split(' ')[0]).toBe(plain.stdout.split(' ')[0]);
      expect(served.stdout).toMatch(/^ERR_/);
    });

    test('without permission to read the store but with permission for all folders that Node searches, the error has a cause', async () => {
      const sandbox = await open();
      const folders = ['node_modules', '.node_modules', '.node_libraries', 'lib/node'];
      const bases = [
        sandbox.root,
        dirname(sandbox.root),
        '/',
        sandbox.home,
        dirname(dirname(node)),
      ];
      const looks = bases.flatMap((dir) => folders.map((folder) => join(dir, folder, '*')));
      const rights = [flag, ...quiet, ...worker, ...allow(sandbox.core, repositoryRoot, ...looks)];
      const quietly = { ANNEX_LOG: 'error' };
      const { code, stdout, stderr } = await run(sandbox, [...rights, 'app.mjs'], quietly);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^ERR_MODULE_NOT_FOUND ANNEX_STORE_UNUSABLE /);
    });

    test('with permission to read, the store is used', async () => {
      const sandbox = await open();
      const rights = [flag, ...quiet, ...worker, ...allow('*')];
      expect(await run(sandbox, [...rights, 'app.mjs'])).toMatchObject({
        stdout: `${MARKER}\n`,
        stderr: '',
      });
    });

    test('without permission to start a child process, an install is refused, and the cause names the missing permission', async () => {
      const sandbox = await open();
      const store = join(sandbox.root, 'volume', 'empty');
      const rights = [flag, ...quiet, ...worker, ...allow('*')];
      const env = { ANNEX_STORE: store, ANNEX_ALLOW_INSTALLS: '1', ANNEX_LOG: 'error' };
      const { code, stdout, stderr } = await run(sandbox, [...rights, 'app.mjs'], env);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^ERR_MODULE_NOT_FOUND ANNEX_DENIED .*--allow-child-process/);
    });
  });
});
