/** The pages for developers: their programs run in an application that declares what they import. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, expect } from 'vitest';
import { listBlocks, readDocument } from '../support/documents.ts';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { type PackageFixture, packRepository, repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { openReader, type Reader, runPage } from '../support/run-page.ts';

/** A package whose default export is a class, with types. */
const typed = (name: string, version: string): PackageFixture => ({
  name,
  version,
  files: {
    'index.js': 'export default class Client { constructor(key) { this.key = key; } }',
    'index.d.ts':
      'export default class Client { key: string | undefined; constructor(key?: string); }',
  },
  manifest: { type: 'module', types: './index.d.ts', exports: './index.js' },
});

const TYPED = [typed('exa-js', '1.10.3'), typed('@slack/web-api', '7.1.0')];
const SHARP = `module.exports = (image) => ({ resize: () => ({ toBuffer: async () => image }) });`;
const features = {
  'exa-js': '^1.9',
  '@slack/web-api': '^7.0.0',
  'node-red-node-random': '*',
  sharp: '*',
};
const NOT_INSTALLED = /mocha$|jest$/;

let registry: Registry;
let reader: Reader;

beforeAll(async () => {
  registry = await startRegistry([
    packRepository(),
    ...TYPED,
    cjsPackage('node-red-node-random', '0.4.1', ''),
    { ...cjsPackage('sharp', '0.34.0', ''), files: { 'index.js': SHARP } },
    esmPackage('undeclared', '1.0.0', ''),
  ]);
  reader = await openReader(registry, { type: 'module', annex: { features } });
  const { sandbox } = reader;
  sandbox.write(
    'app/app.mjs',
    `const { default: Exa } = await import('exa-js'); console.log(Exa.name);`,
  );
  const modules = join(sandbox.core, 'node_modules');
  for (const name of ['vite', 'vitest', '.bin/vitest']) {
    symlinkSync(join(repositoryRoot, 'node_modules', name), join(modules, name));
  }
});

/** A store of its own for each program. */
const storeOf = (name: string) => ({ ANNEX_STORE: reader.place(`/data/${name}`) });

/** Writes a program, runs it with the loader, and returns its stdout. */
function run(file: string, code: string, env: Record<string, string> = {}): Promise<string> {
  reader.sandbox.write(`app/${file}`, code);
  return reader.succeed(`node --import annex/loader.mjs ${file}`, {
    env: { ...storeOf(file), ...env },
  });
}

/** Compiles a TypeScript module where the packages are installed as for development, and writes it into the application. */
async function compile(name: string, code: string): Promise<void> {
  const { sandbox, succeed } = reader;
  const source = sandbox.write(`tmp/${name}/${name}.mts`, code);
  const modules = `tmp/${name}/node_modules`;
  for (const pkg of TYPED) sandbox.addPackage(modules, pkg);
  symlinkSync(join(sandbox.core, 'node_modules', 'annex'), join(sandbox.root, modules, 'annex'));
  const tsc = join(repositoryRoot, 'node_modules', '.bin', 'tsc');
  const flags = '--strict --module nodenext --target es2022 --types ""';
  await succeed(`${tsc} ${flags} --outDir ${sandbox.core} ${source}`);
}

runPage('docs/api.md', {
  '--import: sh': async (code) => {
    expect(await reader.succeed(code, { env: storeOf('flag') })).toBe('Client\n');
  },
  'NODE_OPTIONS: dockerfile': async (code) => {
    const { sandbox, succeed, build, place } = reader;
    await succeed(`cp -r ${sandbox.core} /opt/app`);
    mkdirSync(place('/opt/data'));
    const { env } = await build(code);
    const cwd = place('/opt/app');
    expect(await succeed('node app.mjs', { env, cwd })).toBe('Client\n');
    const printed = await succeed('npx annex env', { cwd, env: { ANNEX_STORE: env.ANNEX_STORE } });
    const [comment, ...lines] = printed.trim().split('\n');
    expect(comment).toContain(place('/opt/app'));
    expect(lines).toEqual(place(code).trim().split('\n'));
  },
  'annex: js': (code) => run('names.mjs', code),
  'load(specifier): ts': async (code) => {
    await compile('load', `${code}\nconsole.log(new Exa('k').key, slack.default.name);`);
    const program = readFileSync(join(reader.sandbox.core, 'load.mjs'), 'utf8');
    expect(await run('load.mjs', program)).toBe('k Client\n');
  },
});

runPage('docs/errors.md', {
  'Errors: js': async (code) => {
    const { sandbox, shell } = reader;
    const [, line] = listBlocks(readDocument('docs/errors.md'));
    sandbox.write('app/errors/app.mjs', code);
    const result = await shell('node --import annex/loader.mjs errors/app.mjs', {
      env: { ANNEX_ALLOW_INSTALLS: '0' },
    });
    const warning = 'exa-js is unavailable: ANNEX_DENIED unset ANNEX_ALLOW_INSTALLS\n';
    expect(result).toMatchObject({
      code: 0,
      stderr: `${line?.code.replace('app.mjs', 'errors/app.mjs')}${warning}`,
    });
  },
});

runPage('docs/observability.md', {
  'JSON: json': (code) => {
    const validate = new Ajv2020().compile(JSON.parse(readDocument('docs/log.schema.json')));
    validate(JSON.parse(code));
    expect(validate.errors).toBeNull();
  },
  'Channels: js': async (code) => {
    const program = `${code}\nawait (await import('annex')).ensure('exa-js');\nstop();`;
    expect(await run('channels.mjs', program)).toMatch(/^exa-js \d+(\.\d+)?\n$/);
  },
});

runPage('docs/hosts.md', {
  'Libraries: js': async (code) => {
    const program = `import { createRequire } from 'node:module';
      import { dirname } from 'node:path';
      const server = {};
      const RED = { init: (_, { nodesDir }) => console.log(nodesDir.join()) };
      ${code}`;
    expect(await run('red.mjs', program)).toMatch(/^\/.*\/node_modules\/node-red-node-random\n$/);
  },
});

runPage('docs/migration.md', {
  'From an application without annex: sh': async (code) => {
    const { sandbox, succeed, shell, answer } = await openReader(registry);
    sandbox.write('app/package.json', { name: 'app', version: '1.0.0', type: 'module' });
    sandbox.write('app/main.mjs', `await import('undeclared');`);
    const [install = '', scan = '', init = ''] = code.trim().split('\n');
    await succeed(install);
    expect(await shell(scan)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('undeclared: neither declared nor shipped'),
    });
    expect(await answer(init, 'y')).toContain('declared undeclared ^1.0.0');
  },
  'From optional peer dependencies: json': async (code) => {
    reader.sandbox.write('tmp/peers/package.json', code);
    expect(await reader.succeed('annex list -C /tmp/peers')).toMatch(/^exa-js .*\^1\.9\.0/m);
  },
  'From try and require: js': async (code) => {
    expect(await run('try.cjs', `${code}\nconsole.log(typeof sharp);`)).toBe('function\n');
  },
  'From try and require: js 2': async (code) => {
    reader.sandbox.write('app/resize.mjs', code);
    const program = `import { canResize, resize } from './resize.mjs';
      console.log(canResize(), await resize('image'), canResize());`;
    expect(await run('caller.mjs', program)).toBe('false image true\n');
  },
});

runPage('docs/typescript-bundlers-tests.md', {
  'TypeScript: sh': async (code) => {
    const { sandbox, succeed } = await openReader(registry);
    await succeed(code);
    const text = readFileSync(join(sandbox.core, 'package.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ devDependencies: { 'exa-js': '^1.10.3' } });
  },
  'TypeScript: ts': async (code) => {
    await compile('client', code);
    const program = `import { openClient } from './client.mjs';
      console.log((await openClient('k')).key);`;
    expect(await run('open.mjs', program)).toBe('k\n');
  },
  'Next.js: js 2': async (code) => {
    expect(await run('comments.mjs', `${code}\nconsole.log(Exa.name);`)).toBe('Client\n');
  },
  'Tests: sh': async (code) => {
    const { sandbox, succeed } = reader;
    sandbox.write(
      'app/checks/test-missing.mjs',
      `import { test } from 'node:test';
      import assert from 'node:assert';
      test('is denied', () => assert.rejects(import('exa-js'), { code: 'ERR_MODULE_NOT_FOUND' }));`,
    );
    sandbox.write(
      'app/checks/missing.spec.js',
      `import { expect, test } from 'vitest';
      test('is denied', () => expect(import('exa-js')).rejects.toThrow());`,
    );
    // test:hosts runs mocha and jest.
    const lines = code.split('\n').filter((line) => !NOT_INSTALLED.test(line));
    const output = await succeed(`cd checks\n${lines.join('\n')}`, { env: storeOf('checks') });
    expect(output).toMatch(/# pass 1\n[\s\S]*Tests {2}1 passed/);
  },
  'Vite and vitest: js': async (code) => {
    const { sandbox, succeed } = reader;
    sandbox.write('app/found/vite.config.js', code);
    sandbox.write(
      'app/found/found.spec.js',
      `import Exa from 'exa-js';
      import { expect, test } from 'vitest';
      test('is found', () => expect(Exa.name).toBe('Client'));`,
    );
    const output = await succeed('cd found; npx vitest run', { env: storeOf('found') });
    expect(output).toMatch(/Tests {2}1 passed/);
  },
  'Jest: json': async (code) => {
    const { resolver } = JSON.parse(code) as { resolver: string };
    const program = `console.log(typeof require(${JSON.stringify(resolver)}));`;
    expect(await run('jest.cjs', program)).toMatch(/^(function|object)\n$/);
  },
});
