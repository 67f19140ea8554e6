/** Programs under flags of Node that change what code may do, and how it is started. */
import type { Program } from '../../support/conformance.ts';

/** Loads in each way, and reports what came of it. */
const LOADS = `
const loads = { cjs: () => require('./part.cjs'), esm: () => import('./part.mjs'), builtin: () => require('node:fs').existsSync(__filename),
  absent: () => require('absent'), 'absent import': () => import('absent'), code: () => new Function('return 1')(), eval: () => eval('1 + 1'),
  proto: () => ({}).__proto__ === Object.prototype, worker: () => new Promise((resolve, reject) => new (require('node:worker_threads').Worker)('', { eval: true }).on('exit', resolve).on('error', reject)) };
(async () => {
  for (const [name, load] of Object.entries(loads))
    try { console.log(name, await load()); } catch (error) { console.log(name, error.code, error.message); }
})();`;
const parts = { 'part.cjs': `module.exports = 'cjs';`, 'part.mjs': `export default 'esm';` };

const underFlags = (title: string, ...flags: string[][]): Program => ({
  title,
  files: { ...parts, 'main.cjs': LOADS },
  starts: flags.map((some) => ({ args: [...some, 'main.cjs'] })),
  shows: /esm \[Module/,
});

const hasPermission = ({ major }: { major: number }): boolean => major >= 22;
const APP = 'ROOT/app';

export const programs: readonly Program[] = [
  underFlags('frozen intrinsics', ['--frozen-intrinsics', '--no-warnings']),
  underFlags('no code from strings', ['--disallow-code-generation-from-strings']),
  underFlags('no __proto__', ['--disable-proto=delete'], ['--disable-proto=throw']),
  underFlags('conditions, no addons, no global search paths', [
    '-C',
    'own',
    '--no-addons',
    '--no-global-search-paths',
  ]),
  underFlags('V8 flags', ['--use-strict', '--stack-size=500'], ['--jitless', '--max-lazy']),
  underFlags('a preload of the program by --require and --import', [
    '--require',
    './part.cjs',
    '--import',
    './part.mjs',
  ]),
  {
    ...underFlags('no require of ES modules', [
      '--no-experimental-require-module',
      '--no-warnings',
    ]),
    // Then --require cannot load the preload, which is an ES module.
    modes: ['--import'],
  },
  {
    title: 'objects that a program freezes or changes do not break the loader',
    files: {
      ...parts,
      'main.cjs': `
for (const object of [Object.prototype, Array.prototype, Function.prototype, Promise.prototype, Map.prototype, String.prototype, RegExp.prototype, Object, Reflect, JSON, require('node:fs'), require('node:path')])
  if (process.argv[2] === 'freeze') Object.freeze(object);
  else if (process.argv[2] === 'remove') for (const key of Reflect.ownKeys(object)) if (/^(?:startsWith|endsWith|includes|indexOf|slice|match|exec|test|has|at|hasOwn|parse|apply)$/.test(String(key))) delete object[key];
for (const name of ['parentURL', 'conditions', 'paths', 'filename', 'url', 'format', 'shortCircuit', 'importAttributes', 'source', 'feature'])
  if (process.argv[2] === 'pollute') Object.defineProperty(Object.prototype, name, { value: undefined, writable: true, configurable: true });
(async () => {
  console.log(require('./part.cjs'), (await import('./part.mjs')).default);
  await import('absent').catch(({ code }) => console.log(code));
  try { require('absent'); } catch ({ code }) { console.log(code); }
})();`,
    },
    starts: ['freeze', 'remove', 'pollute'].map((how) => ({ args: ['main.cjs', how] })),
    shows: /cjs esm/,
  },
  {
    title: 'the permission model, with rights for all files',
    files: {
      ...parts,
      'main.cjs': `${LOADS}\nfor (const scope of ['fs', 'fs.read', 'fs.write', 'child', 'worker', 'addons']) console.log(scope, process.permission.has(scope));`,
    },
    starts: [
      { args: ['--permission', '--allow-fs-read=*', 'main.cjs'] },
      {
        args: [
          '--permission',
          '--allow-fs-read=*',
          '--allow-worker',
          '--allow-child-process',
          'main.cjs',
        ],
      },
    ],
    shows: /fs\.read true/,
    runsOn: hasPermission,
  },
  {
    title: 'the permission model, with rights for the application alone',
    files: { ...parts, 'main.cjs': LOADS },
    starts: [
      { args: ['--permission', `--allow-fs-read=${APP}/*`, 'main.cjs'] },
      { args: ['--permission', `--allow-fs-read=${APP}/*`, '--allow-worker', 'main.cjs'] },
    ],
    shows: /cjs cjs/,
    runsOn: hasPermission,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'the permission model, without rights for the package.json of the application',
    files: { ...parts, 'main.cjs': LOADS },
    starts: [
      {
        args: [
          '--permission',
          `--allow-fs-read=${APP}/node_modules/*`,
          '--allow-fs-read=./*',
          'main.cjs',
        ],
      },
      {
        args: [
          '--permission',
          `--allow-fs-read=${APP}/node_modules/annex/*`,
          '--allow-fs-read=./*',
          'main.cjs',
        ],
      },
    ],
    shows: /cjs cjs/,
    runsOn: hasPermission,
  },
  {
    // Its hooks run in a thread of their own, which repeats the warnings.
    title: 'the permission model of Node 20',
    files: { ...parts, 'main.cjs': LOADS },
    starts: [
      {
        args: [
          '--experimental-permission',
          '--no-warnings',
          '--allow-fs-read=*',
          '--allow-worker',
          'main.cjs',
        ],
      },
      {
        args: [
          '--experimental-permission',
          '--no-warnings',
          `--allow-fs-read=${APP}/*`,
          '--allow-worker',
          'main.cjs',
        ],
      },
    ],
    shows: /cjs cjs/,
    runsOn: ({ major }) => major === 20,
  },
  {
    title: 'a script of package.json by --run',
    files: {
      'package.json': '{ "scripts": { "own": "node main.cjs given", "fails": "exit 5" } }',
      'main.cjs': `console.log(process.argv.slice(2), process.execArgv, process.env.NODE_RUN_SCRIPT_NAME, process.env.NODE_RUN_PACKAGE_JSON_PATH);`,
    },
    starts: [
      { args: ['--run', 'own', '--', 'more'] },
      { args: ['--run', 'fails'] },
      { args: ['--run', 'absent'] },
    ],
    shows: /given/,
    runsOn: ({ major }) => major >= 22,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'variables of an environment file',
    files: {
      '.own': 'OWN=value\nNODE_NO_WARNINGS=1\n',
      'main.cjs': `console.log(process.env.OWN, process.execArgv); process.emitWarning('own');`,
    },
    starts: [
      { args: ['--env-file=.own', 'main.cjs'] },
      { args: ['--env-file=absent', 'main.cjs'] },
    ],
    shows: /value/,
  },
  {
    title: 'tests by --test, passing and failing',
    files: {
      'own.test.mjs': `
import assert from 'node:assert';
import { after, before, describe, it, mock, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
before(() => console.log('before', process.env.NODE_TEST_CONTEXT));
test('passes', async (context) => { await context.test('inside', () => {}); context.diagnostic('said'); });
test('imports', async () => { assert.equal((await import('./part.mjs')).default, 'esm'); });
test('fails', async () => { await import('./wrong.mjs'); });
test.skip('is skipped'); test.todo('is to do');
describe('suite', () => { it('mocks', async () => { const fn = mock.fn(() => 1); fn(); assert.equal(fn.mock.callCount(), 1); }); });`,
      'wrong.mjs': `throw new Error('wrong');`,
      'other.test.cjs': `require('node:test')('of CommonJS', () => { require('./part.cjs'); });`,
      ...parts,
    },
    starts: [
      { args: ['--test', '--test-reporter=tap', '--test-concurrency=1'] },
      { args: ['--test-reporter=tap', 'other.test.cjs'] },
      {
        args: ['--test', '--test-reporter=spec', '--experimental-test-coverage', 'other.test.cjs'],
      },
    ],
    clean: (text) =>
      text.replaceAll(/(duration_ms:? )[\d.]+/g, '$1').replaceAll(/\([\d.]+ms\)/g, ''),
    shows: /not ok \d - fails/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'modules that node:test mocks',
    files: {
      'main.mjs': `
import { mock } from 'node:test';
mock.module('absent', { namedExports: { named: 1 } });
mock.module('./part.mjs', { defaultExport: 'mocked part' });
console.log(await import('absent'), await import('./part.mjs'));
const { createRequire } = await import('node:module');
console.log(createRequire(import.meta.url)('absent'));
mock.reset();
console.log(await import('./part.mjs'));`,
      ...parts,
      'node_modules/absent/package.json': '{ "name": "absent", "main": "index.js" }',
      'node_modules/absent/index.js': `module.exports = 'real';`,
    },
    starts: [{ args: ['--no-warnings', '--experimental-test-module-mocks', 'main.mjs'] }],
    shows: /mocked part/,
    runsOn: ({ major }) => major >= 22,
  },
];
