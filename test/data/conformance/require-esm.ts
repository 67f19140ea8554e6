/** Programs around require of ES modules. */
import { askingScript, type Case, dependency } from './program.ts';

export const requireEsmPrograms: Case[] = [
  {
    title: 'require(esm): the namespace, its default and its name for require',
    files: {
      'main.cjs': askingScript(
        `require('./a.mjs')`,
        `require('./a.mjs') === require('./a.mjs')`,
        `require('./named.mjs')`,
        `require('./both.mjs')`,
        `import('./a.mjs').then((all) => all === require('./a.mjs'))`,
        `module.children.map(({ id, loaded }) => [id, loaded])`,
      ),
      'a.mjs': `export default 'default'; export const a = 1;`,
      'named.mjs': `const f = { f: 'for require' }; export { f as 'module.exports' }; export const a = 1;`,
      'both.mjs': `export const __esModule = false; export default 2;`,
    },
    shows: 'for require',
  },
  {
    title: 'require(esm): the warning, where this version of Node gives one',
    files: {
      'main.cjs': `console.log(require('./a.mjs').a);`,
      'a.mjs': `export const a = 'required';`,
    },
    shows: 'required',
  },
  {
    title: 'require(esm): no warning for a package',
    files: {
      'main.cjs': `console.log(require('modern').a);`,
      ...dependency('modern', { type: 'module' }, { 'index.js': `export const a = 'required';` }),
    },
    shows: 'required',
  },
  {
    title: 'require(esm): switched off it is ERR_REQUIRE_ESM',
    args: ['--no-experimental-require-module', 'main.cjs'],
    modes: ['--import'],
    files: { 'main.cjs': `require('./a.mjs');`, 'a.mjs': `export const a = 1;` },
    shows: 'ERR_REQUIRE_ESM',
  },
  {
    title: 'require(esm): switched off, the error is caught',
    args: ['--no-experimental-require-module', 'main.cjs'],
    modes: ['--import'],
    files: {
      'main.cjs': askingScript(
        `require('./a.mjs')`,
        `require('./typed/a.js')`,
        `require('modern')`,
      ),
      'a.mjs': `export const a = 1;`,
      'typed/package.json': { type: 'module' },
      'typed/a.js': `export const a = 1;`,
      ...dependency('modern', { type: 'module' }, { 'index.js': `export const a = 1;` }),
    },
    shows: 'ERR_REQUIRE_ESM',
  },
  {
    title: 'require(esm): a module with top-level await is ERR_REQUIRE_ASYNC_MODULE',
    files: { 'main.cjs': `require('./a.mjs');`, 'a.mjs': `await 0;` },
    shows: 'ERR_REQUIRE_ASYNC_MODULE',
  },
  {
    title: 'require(esm): the place of a top-level await deeper in the graph',
    args: ['--experimental-print-required-tla', 'main.cjs'],
    files: {
      'main.cjs': `require('./a.mjs');`,
      'a.mjs': `import './b.mjs';`,
      'b.mjs': `export {};\nawait 0;`,
    },
    shows: 'ERR_REQUIRE_ASYNC_MODULE',
  },
  {
    title: 'require(esm): a module with top-level await can be imported afterwards',
    files: {
      'main.cjs': askingScript(
        `require('./a.mjs')`,
        `require('./a.mjs')`,
        `import('./a.mjs')`,
        `require('./b.mjs')`,
      ),
      'a.mjs': `await 0; export const a = 1;`,
      'b.mjs': `import './a.mjs';`,
    },
    shows: 'ERR_REQUIRE_ASYNC_MODULE',
  },
  {
    title: 'require(esm): a module that throws, again and again',
    files: {
      'main.cjs': askingScript(`require('./a.mjs')`, `require('./a.mjs')`, `import('./a.mjs')`),
      'a.mjs': `console.log('evaluated'); throw new Error('from a');`,
    },
    shows: 'from a',
  },
  {
    title: 'require(esm): a module whose import fails',
    files: { 'main.cjs': `require('./a.mjs');`, 'a.mjs': `import 'no-such-package';` },
    modes: ['--import'],
    shows: 'ERR_MODULE_NOT_FOUND',
  },
  {
    title: 'require(esm): a module whose import fails, and the error is caught',
    files: {
      'main.cjs': askingScript(`require('./a.mjs')`, `require('./a.mjs')`, `import('./a.mjs')`),
      'a.mjs': `import 'no-such-package';`,
    },
    shows: 'ERR_MODULE_NOT_FOUND',
  },
  {
    title: 'require(esm): a module that requires the script that requires it',
    files: {
      'main.cjs': `exports.early = 1; const { seen } = require('./a.mjs'); exports.late = 2; console.log(seen);`,
      'a.mjs': `import main from './main.cjs'; export const seen = Object.keys(main);`,
    },
    shows: '',
  },
  {
    title: 'require(esm): a cycle through an import is ERR_REQUIRE_CYCLE_MODULE',
    files: {
      'main.mjs': `import './b.cjs'; export const a = 1;`,
      'b.cjs': `console.log(require('./main.mjs'));`,
    },
    shows: 'ERR_REQUIRE_CYCLE_MODULE',
  },
  {
    title: 'require(esm): a cycle through an import, and the error is caught',
    files: {
      'main.mjs': `import './b.cjs'; export const a = 1;`,
      'b.cjs': askingScript(`require('./main.mjs')`, `require('./c.mjs')`),
      'c.mjs': `import './main.mjs';`,
    },
    shows: 'ERR_REQUIRE_CYCLE_MODULE',
  },
];
