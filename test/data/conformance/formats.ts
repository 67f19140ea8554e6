/** Programs around what is not JavaScript: JSON, WebAssembly, addons, TypeScript, unknown extensions. */
import { askingModule, type Case } from './program.ts';

/** A module that exports \`add\`: (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)) */
const ADD = '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b';
/** A module that imports \`./env.mjs\` \`f\`: (module (import "./env.mjs" "f" (func))) */
const IMPORTING = '0061736d01000000010401600000020f01092e2f656e762e6d6a73016600 00'.replace(
  ' ',
  '',
);
const writeWasm = (file: string, hex: string) =>
  `(await import('node:fs')).writeFileSync(new URL('${file}', import.meta.url), Buffer.from('${hex}', 'hex'));\n`;

const json = (attributes: string) =>
  `import value from './value.json'${attributes}; console.log(value);`;

export const formatPrograms: Case[] = [
  {
    title: 'JSON: with its attribute it is imported, without it is ERR_IMPORT_ATTRIBUTE_MISSING',
    files: {
      'main.mjs': askingModule(
        `import('./value.json', { with: { type: 'json' } })`,
        `import('./value.json')`,
        `import('./value.json', { with: { type: 'css' } })`,
        `import('./value.json', { with: { lazy: 'true' } })`,
        `import('./value.json', { with: {} })`,
        `import('./main.mjs', { with: { type: 'json' } })`,
        `require('./value.json')`,
        `import('./value.json', { with: 5 })`,
        `import('./value.json', { with: { type: 5 } })`,
        `import('./absent.json', { with: { type: 'json' } })`,
      ),
      'value.json': { it: 'is JSON' },
    },
    shows: '_MISSING',
  },
  {
    title: 'JSON: a static import with its attribute',
    files: { 'main.mjs': json(` with { type: 'json' }`), 'value.json': { it: 'is JSON' } },
    shows: 'is JSON',
  },
  {
    title: 'JSON: a static import without it ends the program',
    files: { 'main.mjs': json(''), 'value.json': {} },
    shows: '_MISSING',
  },
  {
    title: 'JSON: a static import with another type ends the program',
    files: { 'main.mjs': json(` with { type: 'css' }`), 'value.json': {} },
    shows: '_UNSUPPORTED',
  },
  {
    title: 'JavaScript imported as JSON ends the program',
    files: { 'main.mjs': `import x from './x.mjs' with { type: 'json' };`, 'x.mjs': '' },
    shows: 'ERR_IMPORT_A',
  },
  {
    title: 'JSON: a syntax error names the file',
    files: {
      'main.mjs': askingModule(
        `import('./bad.json', { with: { type: 'json' } })`,
        `require('./bad.json')`,
      ),
      'bad.json': '{ "a": }',
    },
    shows: 'bad.json',
  },
  {
    title: 'JSON: a required syntax error ends the program',
    files: { 'main.cjs': `require('./bad.json');`, 'bad.json': '{ "a": }' },
    shows: 'bad.json',
  },
  {
    title: 'JSON: require and import share one object where Node does',
    files: {
      'main.mjs': `import value from './value.json' with { type: 'json' }; import { createRequire } from 'node:module';
const required = createRequire(import.meta.url)('./value.json'); console.log(required === value, required);`,
      'value.json': '\ufeff{ "it": "is JSON" }',
    },
    shows: 'is JSON',
  },
  {
    title: 'wasm: instances, their imports, and source phase imports',
    args: ['--experimental-wasm-modules', 'main.mjs'],
    files: {
      'main.mjs': `${writeWasm('add.wasm', ADD)}${writeWasm('importing.wasm', IMPORTING)}import { tell } from 'tell';
await tell('add', async () => (await import('./add.wasm')).add(1, 2));
await tell('importing', () => import('./importing.wasm'));
await tell('broken', () => import('./broken.wasm'));
await tell('as JSON', () => import('./add.wasm?json', { with: { type: 'json' } }));`,
      'env.mjs': `export const f = () => {};`,
      'broken.wasm': 'not wasm',
    },
    shows: 'add: 3',
  },
  {
    title: 'wasm: without the flag, as this version of Node has it',
    files: {
      'main.mjs': `${writeWasm('add.wasm', ADD)}import { tell } from 'tell'; await tell('add', () => import('./add.wasm'));`,
    },
    shows: 'add',
  },
  {
    title:
      'extensions: unknown ones are ERR_UNKNOWN_FILE_EXTENSION for import and JavaScript for require',
    files: {
      'main.mjs': askingModule(
        ...['x.unknown', 'x.css', 'x', 'x.JS', 'x.mjs.txt', '.mjs', 'x.'].flatMap((name) => [
          `import('./${name}')`,
          `require('./${name}')`,
        ]),
        `import('./module/x')`,
        `import('./module/x.unknown')`,
        `import('./commonjs/x')`,
        `import('./commonjs/x.unknown')`,
      ),
      ...Object.fromEntries(
        [
          'x.unknown',
          'x.css',
          'x',
          'x.JS',
          'x.mjs.txt',
          '.mjs',
          'x.',
          'module/x',
          'module/x.unknown',
          'commonjs/x',
          'commonjs/x.unknown',
        ].map((name) => [name, `globalThis.loaded = '${name}';`]),
      ),
      'module/package.json': { type: 'module' },
      'commonjs/package.json': { type: 'commonjs' },
    },
    shows: 'ERR_UNKNOWN_FILE_EXTENSION',
  },
  {
    title: 'extensions: an unknown one in a static import ends the program',
    files: { 'main.mjs': `import './x.unknown';`, 'x.unknown': '' },
    shows: 'ERR_UNKNOWN_FILE_EXTENSION',
  },
  {
    title: 'extensions: an unknown one of the main file, and none',
    args: ['main.unknown'],
    files: {
      'main.unknown': `console.log('it ran', typeof require);`,
      'package.json': { type: 'commonjs' },
    },
    shows: 'it ran function',
  },
  {
    title: 'extensions: a main file without one',
    args: ['main'],
    files: {
      main: `#!/usr/bin/env node\nconsole.log('it ran', typeof require);`,
      'package.json': {},
    },
    shows: 'it ran function',
  },
  {
    title: 'addons: a file that is none is an error, also with import',
    files: {
      'main.mjs': askingModule(
        `require('./x.node')`,
        `import('./x.node')`,
        `require('./x')`,
        `process.dlopen({ exports: {} }, 'absent.node')`,
      ),
      'x.node': 'no addon',
    },
    shows: 'ERR_DLOPEN_FAILED',
  },
  {
    title: 'TypeScript: types are stripped where Node does it, and never in node_modules',
    files: {
      'main.mjs': askingModule(
        `import('./a.ts')`,
        `import('./b.mts')`,
        `require('./c.cts')`,
        `import('./enum.ts')`,
        `import('./bad.ts')`,
        `import('typed')`,
        `require('typed')`,
        `require('./a')`,
      ),
      'a.ts': `export const a: string = 'typed';`,
      'b.mts': `import { type A } from './a.ts'; export const b: number = 1;`,
      'c.cts': `const c: string = 'cts'; module.exports = { c };`,
      'enum.ts': `export enum E { A }`,
      'bad.ts': `export const : = 1;`,
      'node_modules/typed/package.json': { type: 'module', exports: './index.ts' },
      'node_modules/typed/index.ts': `export const a: string = 'x';`,
    },
    shows: 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
    since: 24,
  },
];
