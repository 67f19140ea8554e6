/** Programs around URLs and builtins: data:, blob:, node: and unknown schemes. */
import { askingModule, askingScript, type Case } from './program.ts';

export const urlPrograms: Case[] = [
  {
    title: 'data: URLs of every type, their imports and errors',
    files: {
      'main.mjs': askingModule(
        ...[
          'data:text/javascript,export default 1',
          'data:text/javascript;base64,ZXhwb3J0IGRlZmF1bHQgMg==',
          'data:text/javascript,import "node:fs"; export default 3',
          'data:text/javascript,import "./relative.mjs"',
          'data:text/javascript,import "tell"',
          'data:text/javascript,export * from "absent"',
          'data:text/javascript,import "data:text/javascript,console.log(4)"',
          'data:application/json,{}',
          'data:text/css,a{}',
          'data:,x',
          'data:text/javascript,syntax error',
          'data:',
          'data:text/javascript,throw new Error("5")',
          'data:text/javascript,export default import.meta.resolve("node:fs")',
          'data:text/javascript,export default import.meta.resolve("tell")',
          'data:text/javascript,export default import.meta.url',
        ].map((url) => `import('${url}')`),
        `import('data:application/json,{"a":1}', { with: { type: 'json' } })`,
        `import('data:text/javascript,export default 6', { with: { type: 'json' } })`,
      ),
    },
    shows: 'ERR_UNKNOWN_MODULE_FORMAT',
  },
  {
    // On Node 20 both stacks are of the hooks thread.
    since: 22,
    title: 'data: a relative import in a static one ends the program',
    files: { 'main.mjs': `import 'data:text/javascript,import "./x.mjs"';` },
    shows: 'ERR_UNSUPPORTED_RESOLVE_REQUEST',
  },
  {
    title: 'data: a program started with --import data:',
    args: ['--import', 'data:text/javascript,console.log("first")', 'main.mjs'],
    files: { 'main.mjs': `console.log('second');` },
    shows: 'first\nsecond',
  },
  {
    title: 'blob: and other schemes are ERR_UNSUPPORTED_ESM_URL_SCHEME',
    files: {
      'main.mjs': askingModule(
        `import('blob:nodedata:0e2a8e2c-0000-4000-8000-000000000000')`,
        ...[
          'https://example.org/x.mjs',
          'http://example.org/x.mjs',
          'ftp://x/y',
          'about:blank',
          'custom:thing',
          'c:/x.mjs',
          'javascript:0',
          'file:',
          'file:///',
          'file://host/x.mjs',
          'https:',
          '//host/x.mjs',
          '?x',
          '#x?',
          'mailto:x',
        ].flatMap((url) => [
          `import('${url}')`,
          `import.meta.resolve('${url}')`,
          `require('${url}')`,
        ]),
      ),
    },
    shows: 'ERR_UNSUPPORTED_ESM_URL_SCHEME',
  },
  {
    title: 'https: in a static import ends the program',
    files: { 'main.mjs': `import 'https://example.org/x.mjs';` },
    shows: 'ERR_UNSUPPORTED_ESM_URL_SCHEME',
  },
  {
    title: 'builtins: identity, names, and what is no builtin',
    files: {
      'main.mjs': `import fs, { readFileSync } from 'fs'; import * as prefixed from 'node:fs'; import { createRequire, isBuiltin, builtinModules } from 'node:module'; import { tell } from 'tell';
const require = createRequire(import.meta.url);
console.log(fs === prefixed.default, fs === require('fs'), require('node:fs') === fs, readFileSync === fs.readFileSync, Object.keys(prefixed).length, builtinModules.length);
fs.readFileSync = 1; console.log(readFileSync === 1); require('node:module').syncBuiltinESMExports(); console.log(readFileSync);
for (const name of ['fs', 'node:fs', 'test', 'node:test', 'absent', 'fs/promises', 'node:fs/absent']) { await tell(name, () => [isBuiltin(name), import.meta.resolve(name)]); await tell(name, () => require.resolve(name)); }
await tell('internal', () => require('internal/util')); await tell('internal', () => import('node:internal/util')); await tell('get', () => process.getBuiltinModule('fs') === fs);
await tell('missing export', () => import('data:text/javascript,import { absent } from "fs"'));`,
    },
    shows: 'ERR_UNKNOWN_BUILTIN_MODULE',
  },
  {
    title: 'an unknown builtin ends the program',
    files: { 'main.mjs': `import 'node:absent';` },
    shows: 'ERR_UNKNOWN_BUILTIN_MODULE',
  },
  {
    title: 'an unknown builtin ends a script',
    files: { 'main.cjs': `require('node:absent');` },
    modes: ['--import'],
    shows: 'ERR_UNKNOWN_BUILTIN_MODULE',
  },
  {
    title: 'CommonJS: asking for URLs, queries and encoded paths with require',
    files: {
      'main.cjs': askingScript(
        `require('./a%20b.cjs')`,
        `require('./a b.cjs')`,
        `require('./x.cjs?query')`,
        `require('./x.cjs#hash')`,
        `require(new URL('./x.cjs', 'file://' + __filename).href)`,
        `require(new URL('./x.cjs', 'file://' + __filename))`,
        `require('')`,
        `require('./')`,
        `require('.')`,
        `require('..')`,
        `require('/')`,
        `require(__dirname)`,
        `require('./x.cjs/')`,
        `require('./x.cjs/y')`,
        `require('.//x.cjs')`,
        `require('./../' + __dirname.split('/').pop() + '/x.cjs')`,
        `require('x.cjs')`,
        `require('.x')`,
      ),
      'a b.cjs': `module.exports = 'with a space';`,
      'x.cjs': `module.exports = 'x';`,
      'index.js': `module.exports = 'index';`,
      'package.json': {},
    },
    shows: 'with a space',
  },
];
