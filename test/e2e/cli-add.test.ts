/** `annex add`: what it declares and refuses; a refusal leaves package.json unchanged to the byte. */
import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions } from '../support/sandbox.ts';

const isRoot = process.getuid?.() === 0;
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    esmPackage('alpha', '1.2.0', 'registry'),
    esmPackage('alpha', '2.0.0-rc.1', 'registry'),
    esmPackage('@acme/beta', '4.3.1', 'registry'),
    esmPackage('modern', '1.4.0', 'registry'),
    esmPackage('modern', '2.0.0', 'registry', { engines: { node: '>=99' } }),
  ]);
});

describe.each(outerNodes)('$label', (node) => {
  const open = async (packageJson: string) => {
    const sandbox = await createSandbox({ registry });
    const path = join(sandbox.core, 'package.json');
    sandbox.write(path, packageJson);
    const add = (args: string[], options: RunOptions = {}) =>
      sandbox.annex(['add', ...args], { node: node.path, ...options });
    return { sandbox, path, add, read: () => readFileSync(path, 'utf8') };
  };

  test('the short form declares each package as a feature of its name', async () => {
    const { add, read, path } = await open('{\n  "name": "app"\n}\n');
    const { code, stdout, stderr } = await add(['exa-js@^1.9.0', '@acme/beta@>=4 <5']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `declared exa-js ^1.9.0, @acme/beta >=4 <5 in ${path}\nNow: npx annex lock\n`,
    );
    expect(JSON.parse(read())).toEqual({
      name: 'app',
      annex: { features: { 'exa-js': '^1.9.0', '@acme/beta': '>=4 <5' } },
    });
  });

  test('a package without a range gets the range that package.json lists it with', async () => {
    const listed = {
      devDependencies: { alpha: '^1.0.0' },
      optionalDependencies: { beta: '~2.1.0' },
    };
    const { add, read } = await open(JSON.stringify({ name: 'app', ...listed }));
    expect(await add(['alpha', 'beta', 'gamma@3'])).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(read()).annex.features).toEqual({
      alpha: '^1.0.0',
      beta: '~2.1.0',
      gamma: '3',
    });
  });

  test('declaring again replaces the range and leaves the rest of the key alone', async () => {
    const annex = { importers: ['/plugins'], features: { alpha: '^1.0.0', gamma: '^3.0.0' } };
    const { add, read } = await open(JSON.stringify({ annex, name: 'app' }, null, 2));
    expect((await add(['alpha@~1.2.0'])).code).toBe(0);
    expect(JSON.parse(read())).toEqual({
      annex: { ...annex, features: { alpha: '~1.2.0', gamma: '^3.0.0' } },
      name: 'app',
    });
  });

  test('--feature groups packages, also with those of an existing feature', async () => {
    const { add, read } = await open('{ "annex": { "features": { "search": "^1.0.0" } } }');
    expect((await add(['alpha@^1.0.0', 'gamma@3', '--feature', 'search.all'])).code).toBe(0);
    expect((await add(['--feature', 'search.all', 'delta@1.x'])).code).toBe(0);
    const { code, stdout } = await add(['extra@2', '--feature', 'search', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ packages: { extra: '2' }, features: ['search'] });
    expect(JSON.parse(read()).annex.features).toEqual({
      'search.all': { packages: { alpha: '^1.0.0', gamma: '3', delta: '1.x' } },
      search: { packages: { search: '^1.0.0', extra: '2' } },
    });
  });

  test("without a range it declares a caret range of the registry's latest version", async () => {
    const { add, read } = await open('{}');
    const result = await add(['alpha', '@acme/beta']);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(read()).annex.features).toEqual({
      alpha: '^1.2.0',
      '@acme/beta': '^4.3.1',
    });
  });

  test('it uses the registry in the .npmrc of the application', async () => {
    const { sandbox, add, read } = await open('{}');
    sandbox.write('app/.npmrc', `registry=\${WHERE}\n`);
    sandbox.write('app/src/x.js', '');
    const env = { npm_config_registry: undefined, WHERE: registry.url };
    expect(await add(['alpha'], { env, cwd: 'app/src' })).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(read()).annex.features).toEqual({ alpha: '^1.2.0' });
  });

  test('indentation, line ends, the last line end and the mode are kept', async () => {
    const wanted = { name: 'app', annex: { features: { alpha: '^1.0.0' } } };
    const forms: [string, string][] = [
      ['{\n\t"name": "app"\n}', JSON.stringify(wanted, null, '\t')],
      ['{\n    "name": "app"\n}\n', `${JSON.stringify(wanted, null, 4)}\n`],
      [
        '{\r\n  "name": "app"\r\n}\r\n',
        `${JSON.stringify(wanted, null, 2)}\n`.replaceAll('\n', '\r\n'),
      ],
      ['{"name":"app"}\n', `${JSON.stringify(wanted)}\n`],
      ['\uFEFF{\n  "name": "app"\n}\n', `\uFEFF${JSON.stringify(wanted, null, 2)}\n`],
    ];
    for (const [before, after] of forms) {
      const { add, read, path } = await open(before);
      chmodSync(path, 0o660);
      expect((await add(['alpha@^1.0.0'])).code).toBe(0);
      expect(read()).toBe(after);
      expect(statSync(path).mode & 0o777).toBe(0o660);
    }
  });

  test('without a range it takes the version that npm installs on this Node', async () => {
    const { add, read } = await open('{ "name": "app" }');
    expect((await add(['modern'])).code).toBe(0);
    expect(JSON.parse(read()).annex.features).toEqual({ modern: '^1.4.0' });
  });

  test('it says of a package that the application ships that annex does not install it', async () => {
    const { sandbox, add } = await open('{ "name": "app", "dependencies": { "alpha": "^1.0.0" } }');
    sandbox.addPackage(join(sandbox.core, 'node_modules'), esmPackage('alpha', '1.2.0', 'core'));
    expect((await add(['alpha@^1', '@acme/beta@^4'])).stdout.split('\n').slice(1)).toEqual([
      'alpha: the application ships it, so annex does not install it. Now: npx annex remove alpha, or npm uninstall alpha',
      'Now: npx annex lock',
      '',
    ]);
  });

  test('without a range it names the reason why no version is found', async () => {
    const { add, read } = await open('{ "name": "app" }');
    const absent = await add(['absent']);
    expect(absent).toMatchObject({ code: 1, stdout: '' });
    expect(absent.stderr).toMatch(
      /^annex: nothing was changed: no version was found for absent: npm: E404 .*\(ANNEX_INSTALL_FAILED\)\. Now: correct the name or the range\n$/,
    );
    const offline = await add(['alpha'], { env: { npm_config_registry: 'http://127.0.0.1:9/' } });
    expect(offline.stderr).toMatch(
      /registry 127\.0\.0\.1:9 cannot be reached \(ECONNREFUSED\) \(ANNEX_OFFLINE\)\. Now: check the network/,
    );
    expect(read()).toBe('{ "name": "app" }');
  });

  test('wrong input is refused in one line and changes nothing', async () => {
    const text = '{ "name": "app",\r\n "annex": {"features": {"alpha": "^1.0.0"} }   }\n\n';
    const { sandbox, path, add, read } = await open(text);
    const { mtimeMs, ino } = statSync(path);
    const wrong: [string[], RegExp][] = [
      [['beta@latest'], /"latest" for beta, which is a tag/],
      [['beta@'], /"" for beta, which is empty/],
      [['beta@npm:other@1'], /is an alias/],
      [['beta@file:../beta'], /is a path/],
      [['beta@git+ssh://git@host/beta.git'], /is a git address/],
      [['beta@https://host/beta.tgz'], /is a URL/],
      [['https://host/beta.tgz'], /"https:\/\/host\/beta\.tgz" is not NAME or NAME@RANGE/],
      [['../beta'], /"\.\.\/beta" is not NAME or NAME@RANGE/],
      [['@acme@1'], /"@acme@1" is not NAME or NAME@RANGE/],
      [['__proto__@1'], /is not NAME or NAME@RANGE/],
      [['be ta@^1'], /is not NAME or NAME@RANGE/],
      [['fs@^1'], /"fs", which is a builtin of Node/],
      [['app@^1'], /"app", which is the core itself/],
      [['beta@^1', 'gamma@nope'], /"nope" for gamma, which is a tag/],
      [['alpha@^1', '--feature', 'other'], /lists alpha, which is already in feature "alpha"/],
      [['beta@^1', '--feature', 'x'.repeat(201)], /has a name that is empty, longer than/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await add(args);
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(
        /^annex: nothing was changed: .*\(ANNEX_INVALID_CONFIG\)\. Now: npx annex add .*\n$/,
      );
    }
    expect(read()).toBe(text);
    expect(statSync(path)).toMatchObject({ mtimeMs, ino });
    expect(readdirSync(sandbox.core).sort()).toEqual(['node_modules', 'package.json']);
  });

  test('a package.json in which nothing can be declared does not change', async () => {
    const texts: [string, RegExp][] = [
      ['{ "name": "app", ', /does not parse as JSON/],
      ['', /is empty/],
      ['[]', /does not hold a JSON object/],
      ['null', /does not hold a JSON object/],
      ['{ "annex": "exa-js" }', /annex in .* is not an object/],
      ['{ "annex": { "features": ["exa-js"] } }', /annex\.features in .* is not an object/],
    ];
    for (const [text, message] of texts) {
      const { add, read } = await open(text);
      const { code, stderr } = await add(['alpha@^1.0.0']);
      expect({ text, code }).toEqual({ text, code: 1 });
      expect(stderr).toMatch(message);
      expect(read()).toBe(text);
    }
  });

  test('a range needs no npm', async () => {
    const { sandbox, add } = await open('{}');
    expect(await add(['alpha@1'], { env: { PATH: sandbox.home } })).toMatchObject({ code: 0 });
  });

  test('without any package.json nothing is created', async () => {
    const { sandbox, add } = await open('{}');
    const { code, stderr } = await add(['alpha@^1.0.0'], { cwd: 'home' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no package\.json in .*\/home or above/);
    expect(readdirSync(sandbox.home)).toEqual([]);
  });

  test('a package.json that is a link is written at its target', async () => {
    const { sandbox, add } = await open('{}');
    const real = sandbox.write('elsewhere/real.json', '{}');
    const link = join(sandbox.root, 'linked', 'package.json');
    sandbox.write('linked/x', '');
    symlinkSync(real, link);
    expect((await add(['alpha@1'], { cwd: 'linked' })).code).toBe(0);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(real, 'utf8'))).toEqual({
      annex: { features: { alpha: '1' } },
    });
  });

  test.runIf(isRoot)(
    'a package.json that may not be written is unchanged, and keeps its owner',
    async () => {
      const { sandbox, path, add, read } = await open('{}');
      const uid = 1234;
      for (const [file, mode] of [
        [path, 0o444],
        [sandbox.core, 0o555],
      ] as const) {
        chownSync(sandbox.core, uid, uid);
        chownSync(path, uid, uid);
        chmodSync(path, 0o644);
        chmodSync(file, mode);
        const { code, stderr } = await add(['alpha@1'], { uid });
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^annex: .*package\.json cannot be written \(EACCES\) \(ANNEX_\w+\)\. Now: .*\n$/,
        );
        expect(read()).toBe('{}');
        expect(readdirSync(sandbox.core).sort()).toEqual(['node_modules', 'package.json']);
      }
      chmodSync(sandbox.core, 0o755);
      expect((await add(['alpha@1'])).code).toBe(0);
      expect(statSync(path)).toMatchObject({ uid, gid: uid });
    },
  );
});
