/** Programs around packages: names, nesting, formats, and builtins of the same name. */
import { askBoth, askingModule, askingScript, type Case, cjs, dependency } from './program.ts';

export const namePrograms: Case[] = [
  {
    title: 'scoped names need both parts',
    files: {
      ...askBoth(
        '@scope/one',
        '@scope/one/sub.js',
        '@scope',
        '@scope/',
        '@',
        '@/x',
        '@scope/two',
        '@scope//one',
      ),
      ...dependency('@scope/one', {}, { 'index.js': cjs('scoped'), 'sub.js': cjs('scoped sub') }),
    },
    shows: 'ERR_INVALID_MODULE_SPECIFIER',
  },
  {
    title: 'names that no registry accepts resolve where Node looks for them',
    files: {
      ...askBoth(
        'UPPER',
        '.hidden',
        '_under',
        'a b',
        'sp%20ace',
        'naïve',
        '~tilde',
        'c:colon',
        '...',
        'x\\\\y',
        'trailing ',
        'node_modules',
      ),
      ...dependency('UPPER', {}, { 'index.js': cjs('upper') }),
      ...dependency('.hidden', {}, { 'index.js': cjs('hidden') }),
      ...dependency('_under', {}, { 'index.js': cjs('under') }),
      ...dependency('a b', {}, { 'index.js': cjs('with a space') }),
      ...dependency('naïve', {}, { 'index.js': cjs('naïve') }),
      ...dependency('~tilde', {}, { 'index.js': cjs('tilde') }),
    },
    shows: 'with a space',
  },
  {
    title: 'the nearest node_modules is used, and the next one for what it lacks',
    files: {
      'main.mjs': `import near from 'near'; import outer from 'outer'; console.log(near, outer);`,
      ...dependency('near', {}, { 'index.js': cjs('far') }),
      ...dependency(
        'outer',
        {},
        {
          'index.js': `module.exports = ['outer', require('near'), require('only-far')];`,
          'node_modules/near/index.js': cjs('near'),
        },
      ),
      ...dependency('only-far', {}, { 'index.js': cjs('only far') }),
    },
    shows: "'only far'",
  },
  {
    title: 'a nearer package that lacks a subpath hides one that has it',
    files: {
      'main.mjs': `import 'outer';`,
      ...dependency('hidden', {}, { 'sub.js': cjs('never') }),
      ...dependency(
        'outer',
        {},
        {
          'index.js': askingScript(`require('hidden/sub.js')`, `import('hidden/sub.js')`),
          'node_modules/hidden/package.json': '{}',
        },
      ),
    },
    shows: 'ERR_MODULE_NOT_FOUND',
  },
  {
    title: 'dual packages have one state for each build',
    files: {
      'main.mjs': `import { createRequire } from 'node:module'; import { next } from 'state';
const required = createRequire(import.meta.url)('state'); console.log(next(), next(), required.next(), next === required.next);`,
      ...dependency(
        'state',
        { exports: { import: './a.mjs', require: './a.cjs' } },
        {
          'a.mjs': `let at = 0; export const next = () => 'esm ' + ++at;`,
          'a.cjs': `let at = 0; exports.next = () => 'cjs ' + ++at;`,
        },
      ),
    },
    shows: 'esm 1 esm 2 cjs 1 false',
  },
  {
    title: 'packages that have the names of builtins are not used, or only with a slash',
    files: {
      ...askBoth(
        'punycode',
        'punycode/',
        'punycode/punycode.js',
        'buffer',
        'buffer/',
        'fs',
        'fs/',
        'fs/promises',
        'path/posix',
        'path/x.js',
        'sys',
      ),
      ...dependency(
        'punycode',
        {},
        { 'index.js': cjs('the package punycode'), 'punycode.js': cjs('its file') },
      ),
      ...dependency('buffer', {}, { 'index.js': cjs('the package buffer') }),
      ...dependency('fs', {}, { 'index.js': cjs('the package fs') }),
      ...dependency('path', {}, { 'x.js': cjs('the package path') }),
    },
    shows: 'the package buffer',
  },
  {
    title: 'names that are builtins only with node: are packages without it',
    files: {
      ...askBoth(
        'test',
        'sqlite',
        'sea',
        'test/reporters',
        'node:test',
        'node:absent',
        'node:',
        'node:fs/',
        'NODE:fs',
        'node:punycode',
      ),
      ...dependency(
        'test',
        {},
        { 'index.js': cjs('the package test'), 'reporters.js': cjs('its reporters') },
      ),
      ...dependency('sqlite', {}, { 'index.js': cjs('the package sqlite') }),
    },
    shows: 'ERR_UNKNOWN_BUILTIN_MODULE',
  },
  {
    // On Node 20 two threads write the warnings.
    since: 22,
    title: 'the format of a file follows its extension and the nearest "type"',
    files: {
      'main.mjs': askingModule(
        ...['commonjs', 'module', 'none', 'odd'].flatMap((name) =>
          ['js', 'cjs', 'mjs'].flatMap((ext) => [
            `import('./${name}/script.${ext}')`,
            `import('./${name}/module.${ext}')`,
            `require('./${name}/script.${ext}')`,
            `require('./${name}/module.${ext}')`,
          ]),
        ),
      ),
      ...Object.fromEntries(
        [
          ['commonjs', { type: 'commonjs' }],
          ['module', { type: 'module' }],
          ['none', {}],
          ['odd', { type: 'odd' }],
        ].flatMap(([name, manifest]) => [
          [`${name}/package.json`, manifest],
          ...['js', 'cjs', 'mjs'].flatMap((ext) => [
            [`${name}/script.${ext}`, `exports.from = __filename;`],
            [`${name}/module.${ext}`, `export const from = import.meta.url;`],
          ]),
        ]),
      ),
    },
    shows: 'module.mjs',
  },
  {
    title: 'a module in a package without "type" is detected with a warning',
    files: {
      'main.js': `import { x } from './lib.js'; console.log(x, typeof require);`,
      'lib.js': `export const x = 'detected';`,
      'package.json': {},
    },
    shows: 'detected',
    since: 22,
  },
  {
    title: 'syntax of both kinds in one file is an error',
    files: {
      'main.js': `const fs = require('fs'); export default fs; await 0;`,
      'package.json': {},
    },
    shows: 'main.js',
    since: 22,
  },
  {
    title: 'CommonJS with top-level await or import is an error that names the file',
    files: { 'main.cjs': `console.log('before');\nimport fs from 'fs';` },
    shows: 'Cannot use import statement outside a module',
  },
  {
    title: 'named exports of CommonJS are detected, and others are missing',
    files: {
      'main.mjs': `import * as all from 'shapes'; import { reexported } from 'shapes'; console.log(Object.keys(all), reexported);
await import('./bad.mjs').catch((error) => console.log(error.name, error.message, error.stack));`,
      'bad.mjs': `import { dynamic } from 'shapes';`,
      ...dependency(
        'shapes',
        {},
        {
          'index.js': `exports.plain = 1; exports['dyn' + 'amic'] = 2; module.exports.default = 3; Object.assign(exports, require('./more.js')); __exportStar(require('./more.js')); function __exportStar() {}`,
          'more.js': `exports.reexported = 'yes';`,
        },
      ),
    },
    shows: "Named export 'dynamic' not found",
    since: 24,
  },
];
