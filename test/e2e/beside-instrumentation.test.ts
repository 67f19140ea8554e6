/** Agents that patch `require`, `Module.prototype._compile` or sources see a package of the store as one in node_modules. */
import { describe, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** CommonJS with inner requires, with and without a `type` in its package.json: Node detects the format in two ways. */
const makeScripts = (name: string, manifest: object): PackageFixture => ({
  name,
  version: '1.0.0',
  files: {
    'index.js': `const { Base } = require('./base');
class Derived extends Base {}
exports.marker = new Derived().marker + require('./data.json').marker;
exports.isOrdinary = module.children.length === 2 && Object.keys(require.cache).length > 2;
exports.frames = new Error().stack.split('\\n').filter((line) => /_compile/.test(line)).length;
`,
    'base.js': `exports.Base = class { marker = 'sound' };\n`,
    'data.json': '{ "marker": "data" }\n',
  },
  manifest: { main: './index.js', ...manifest },
});

const packages = {
  typed: makeScripts('typed', { type: 'commonjs' }),
  untyped: makeScripts('untyped', {}),
  esm: {
    name: 'esm',
    version: '1.0.0',
    files: {
      'index.js': `import data from './data.json' with { type: 'json' };
export { marker as inner } from './inner.js';
export const marker = 'sound' + data.marker;
`,
      'inner.js': `export const marker = 'sound';\n`,
      'data.json': '{ "marker": "data" }\n',
    },
    manifest: { type: 'module', exports: './index.js' },
  },
} satisfies Record<string, PackageFixture>;

/** Records required and compiled modules, as an agent does. */
const RECORDER = `
import Module from 'node:module';
const { require, _compile } = Module.prototype;
globalThis.seen = [];
const note = (what, of) => {
  const [, from] = /node_modules\\/((?:un)?typed\\/.*)/.exec(of) ?? [];
  if (from) globalThis.seen.push(from + ' ' + what);
};
Module.prototype.require = function (request) {
  const exported = require.call(this, request);
  note('requires ' + request + ' ' + Object.keys(exported), this.filename);
  return exported;
};
Module.prototype._compile = function (text, filename, ...rest) {
  note('compiles ' + text.length, filename);
  return _compile.call(this, text.replace("'sound'", "'patched'"), filename, ...rest);
};`;

const registerAsync = (load: string): string => `
import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(load)}));`;

const PATCH = `export const load = async (url, context, next) => {
  const result = await next(url, context);
  if (!url.endsWith('/esm/inner.js')) return result;
  return { ...result, source: String(result.source).replace('sound', 'patched') };
};`;

/** Loaders beside annex, as the files that register them. */
const LOADERS: Record<string, string> = {
  none: '',
  'an asynchronous loader that does nothing': registerAsync(
    'export const load = (url, context, next) => next(url, context);',
  ),
  'an asynchronous loader that patches a source': registerAsync(PATCH),
  'a synchronous loader that patches a source': `
import * as nodeModule from 'node:module';
nodeModule.registerHooks?.({ load: (url, context, next) => {
  const result = next(url, context);
  if (!url.endsWith('/esm/inner.js')) return result;
  return { ...result, source: Buffer.from(result.source).toString().replace('sound', 'patched') };
} });`,
};

const APPLICATIONS: Record<string, string> = {
  'main.mjs': `
const modules = { typed: await import('typed'), untyped: await import('untyped'), esm: await import('esm') };
console.log(JSON.stringify({ modules, seen: globalThis.seen }));`,
  'main.cjs': `
const modules = { typed: require('typed'), untyped: require('untyped') };
import('esm').then((esm) => console.log(JSON.stringify({ modules: { ...modules, esm }, seen: globalThis.seen })));`,
};

async function openSandboxes(): Promise<{ annex: Sandbox; plain: Sandbox }> {
  const [annex, plain] = await Promise.all([createSandbox(), createSandbox()]);
  const names = Object.keys(packages);
  annex.setCore({ features: Object.fromEntries(names.map((name) => [name, '*'])) });
  for (const pkg of Object.values(packages)) {
    annex.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
    plain.addPackage('app/node_modules', pkg);
  }
  for (const sandbox of [annex, plain]) {
    sandbox.write('app/recorder.mjs', RECORDER);
    for (const [name, source] of Object.entries(LOADERS)) {
      sandbox.write(`app/${name}.mjs`, source);
    }
    for (const [name, source] of Object.entries(APPLICATIONS)) sandbox.write(`app/${name}`, source);
  }
  return { annex, plain };
}

describe.concurrent.each(nodes)('$label', (node) => {
  test.for(Object.keys(LOADERS))(
    '%s, before annex and after, sees the same as from node_modules',
    async (name, { expect: check, onTestFinished }) => {
      const { annex, plain } = await openSandboxes();
      onTestFinished(async () => {
        await Promise.all([annex.cleanup(), plain.cleanup()]);
      });
      const run = async (sandbox: Sandbox, preloads: string[], main: string) => {
        const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
        const flags = preloads.flatMap((preload) => ['--import', preload]);
        const { stdout, stderr } = await sandbox.run(
          ['--disable-warning=DEP0205', ...flags, main],
          {
            node: node.path,
            env,
          },
        );
        return { stderr, report: stdout === '' ? undefined : (JSON.parse(stdout) as object) };
      };
      const beside = [`./${name}.mjs`, './recorder.mjs'];
      for (const main of Object.keys(APPLICATIONS)) {
        const oracle = await run(plain, beside, main);
        check(oracle).toMatchObject({ stderr: '', report: { modules: {} } });
        check(await run(annex, [...beside, annex.loader], main), main).toEqual(oracle);
        check(await run(annex, [annex.loader, ...beside], main), main).toEqual(oracle);
      }
    },
  );
});
