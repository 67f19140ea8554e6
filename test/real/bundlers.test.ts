/** The bundlers that applications use, with annex kept external and with annex bundled in, on the oldest and the newest Node. */
import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { EXTERNAL, IN_BUNDLE, SOURCE } from '../support/bundled.ts';
import { esmPackage } from '../support/fixtures.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
const binaries = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');
const nodes = [binaries.at(0), binaries.at(-1)].map((line = '') => {
  const [version = '', node = ''] = line.split(' ');
  return { version, node, isOld: /^v?20\./.test(version) };
});

const TOOLS = [
  '@rollup/plugin-node-resolve@~16.0.0',
  '@vercel/ncc@~0.45.0',
  'esbuild@~0.28.0',
  'rollup@~4.68.0',
  'webpack@~5.113.0',
];

const ANNEX = ['annex', 'annex/register'];

const LOAD = `
import 'annex/register';
import { load } from 'annex';
load('loaded').then(({ marker }) => console.log(JSON.stringify([marker])));`;

/** Bundles with webpack, whose command line is a separate package. */
const WEBPACK = `#!/usr/bin/env node
import webpack from 'webpack';
const [input, path, format, ...names] = process.argv.slice(2);
const type = format === 'module' ? 'module' : 'commonjs2';
webpack({
  mode: 'production',
  target: 'node20',
  entry: './' + input,
  experiments: { outputModule: format === 'module' },
  output: { path, filename: format === 'module' ? 'index.mjs' : 'index.cjs', library: { type } },
  externals: Object.fromEntries(names.map((name) => [name, type + ' ' + name])),
}, (error, stats) => {
  if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString('errors-only'));
});`;

/** A bundler's command line: its input, the output directory, the external packages. */
type Bundler = (input: string, out: string, external: string[]) => string[];

const esbuild =
  (format: string, name: string): Bundler =>
  (input, out, external) => [
    '.bin/esbuild',
    input,
    '--bundle',
    '--platform=node',
    `--format=${format}`,
    `--outfile=${join(out, name)}`,
    ...[...external, 'stored', 'absent'].map((one) => `--external:${one}`),
  ];
const rollup =
  (format: string, name: string): Bundler =>
  (input, out, external) => [
    '.bin/rollup',
    ...['--input', input, '--file', join(out, name), '--format', format, '--silent'],
    ...['--plugin', 'node-resolve', '--inlineDynamicImports'],
    ...['--external', [...external, 'stored', 'absent'].join(',')],
  ];
const webpack =
  (format: string): Bundler =>
  (input, out, external) => ['../webpack.mjs', input, out, format, ...external];
const ncc: Bundler = (input, out, external) => [
  '.bin/ncc',
  ...['build', input, '--out', out],
  ...external.flatMap((one) => ['--external', one]),
];

const BUNDLERS: Record<string, { args: Bundler; input: string; output: string }> = {
  'esbuild, ESM': { args: esbuild('esm', 'main.mjs'), input: 'main.mjs', output: 'main.mjs' },
  'esbuild, CommonJS': { args: esbuild('cjs', 'main.cjs'), input: 'main.mjs', output: 'main.cjs' },
  'rollup, ESM': { args: rollup('es', 'main.mjs'), input: 'main.mjs', output: 'main.mjs' },
  'rollup, CommonJS': { args: rollup('cjs', 'main.cjs'), input: 'main.mjs', output: 'main.cjs' },
  'webpack, ESM': { args: webpack('module'), input: 'main.mjs', output: 'index.mjs' },
  'webpack, CommonJS': { args: webpack('commonjs'), input: 'main.mjs', output: 'index.cjs' },
  'ncc, ESM': { args: ncc, input: 'main.mjs', output: 'index.mjs' },
  'ncc, CommonJS': { args: ncc, input: 'main.js', output: 'index.js' },
};

let sandbox: Sandbox;
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry(
    ['absent', 'loaded'].map((name) => esmPackage(name, '1.0.0', 'installed')),
  );
  sandbox = await createSandbox({ copyAnnex: true });
  sandbox.setCore({ features: { stored: '*', absent: '*', loaded: '*' } }, { type: undefined });
  for (const name of ['main.mjs', 'main.js']) sandbox.write(`app/src/${name}`, SOURCE);
  for (const name of ['load.mjs', 'load.js']) sandbox.write(`app/src/${name}`, LOAD);
  sandbox.write('app/src/plain.mjs', `import('stored').then(({ marker }) => console.log(marker));`);
  sandbox.write('tools/package.json', { private: true });
  writeFileSync(join(sandbox.root, 'tools', 'webpack.mjs'), WEBPACK, { mode: 0o755 });
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-save'];
  const installed = await sandbox.exec('npm', ['install', ...flags, ...TOOLS], {
    cwd: 'tools',
    env: readMachineEnvironment(),
  });
  expect(installed, installed.stderr).toMatchObject({ code: 0 });
});

/** @returns the path of the bundle */
async function bundle(name: string, external: string[], source = 'main'): Promise<string> {
  const { args, input, output } = BUNDLERS[name] as (typeof BUNDLERS)[string];
  const kind = external.length > 0 ? 'external' : 'inside';
  const out = join(sandbox.core, 'out', `${name} ${kind} ${source}`.replaceAll(/\W+/g, '-'));
  const [tool = '', ...rest] = args(`src/${input.replace('main', source)}`, out, external);
  const path = join(sandbox.root, 'tools', 'node_modules', tool);
  const { code, stdout, stderr } = await sandbox.exec(path, rest);
  expect(code, stdout + stderr).toBe(0);
  return join(out, output);
}

let stores = 0;

/** Runs a bundle with a store of its own. */
async function run(file: string, node: string) {
  const store = join(sandbox.root, 'volume', `${stores++}`);
  const pkg = esmPackage('stored', '1.0.0', 'stored');
  sandbox.plantEntry({ store, feature: 'stored', packages: [pkg], specs: { stored: '*' } });
  const env = { ANNEX_STORE: store, npm_config_registry: registry.url };
  const { code, stdout, stderr } = await sandbox.run([file], { node, env });
  return { code, stderr, seen: code === 0 ? (JSON.parse(stdout) as string[]) : stdout };
}

test.each(Object.keys(BUNDLERS))('%s: load() needs no setting for its package', async (name) => {
  const file = await bundle(name, ANNEX, 'load');
  for (const { version, node } of nodes) {
    expect({ version, ...(await run(file, node)) }).toMatchObject({ code: 0, seen: ['installed'] });
  }
});

test.each(Object.keys(BUNDLERS))(
  '%s: works as without a bundle if annex is installed; otherwise a line says that annex has to stay external',
  async (name) => {
    const [outside, inside] = [await bundle(name, ANNEX), await bundle(name, [])];
    const installed = join(sandbox.core, 'node_modules', 'annex');
    const away = join(sandbox.root, 'away');
    for (const { version, node, isOld } of nodes) {
      for (const file of [outside, inside]) {
        expect({ version, file, ...(await run(file, node)) }).toMatchObject({
          code: 0,
          seen: [isOld ? 'off-thread' : 'sync', 'stored', 'store', 'installed'],
        });
      }
      renameSync(installed, away);
      const { code, stderr, seen } = await run(inside, node);
      renameSync(away, installed);
      expect({ version, code, stderr }).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(IN_BUNDLE),
      });
      expect(seen[0]).toBe(isOld ? 'inactive' : 'sync');
      expect(seen[2]).toMatch(EXTERNAL);
    }
  },
);
