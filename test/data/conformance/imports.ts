/** Programs around the "imports" of packages. */
import { askBoth, type Case, dependency } from './program.ts';

const FILES = { 'a.cjs': `module.exports = 'file a';`, 'b.mjs': `export default 'file b';` };
const both = (...specifiers: string[]) => ({ ...askBoth(...specifiers), ...FILES });

export const importsPrograms: Case[] = [
  {
    title: 'imports: a name leads to a file, by condition',
    files: {
      ...both('#a', '#conditional'),
      'package.json': {
        imports: { '#a': './a.cjs', '#conditional': { import: './b.mjs', require: './a.cjs' } },
      },
    },
    shows: 'file b',
  },
  {
    title: 'imports: a name leads to a package, its subpath, or a builtin',
    files: {
      ...both('#package', '#subpath', '#builtin', '#prefixed', '#gone', '#hidden'),
      'package.json': {
        imports: {
          '#package': 'inner',
          '#subpath': 'inner/sub.js',
          '#builtin': 'path',
          '#prefixed': 'node:path',
          '#gone': 'gone',
          '#hidden': 'inner/hidden.js',
        },
      },
      ...dependency(
        'inner',
        { exports: { '.': './index.js', './sub.js': './sub.js' } },
        { 'index.js': `module.exports = 'inner';`, 'sub.js': `module.exports = 'inner/sub';` },
      ),
    },
    shows: 'inner/sub',
  },
  {
    title: 'imports: patterns, and null inside them',
    files: {
      ...both('#lib/a', '#lib/secret/a', '#lib/', '#lib/b.js', '#deep/x/y/a'),
      'package.json': {
        imports: {
          '#lib/*': './*.cjs',
          '#lib/secret/*': null,
          '#lib/*.js': './*.mjs',
          '#deep/*/a': './a.cjs',
        },
      },
    },
    shows: 'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  },
  {
    title: 'imports: names that are not defined, and names that cannot be',
    files: {
      ...both('#undefined', '#', '#/', '#/a', '##', '#null', '#%61', '# '),
      'package.json': { imports: { '#null': null, '#/a': './a.cjs' } },
    },
    shows: 'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  },
  {
    title: 'imports: invalid targets are ERR_INVALID_PACKAGE_TARGET',
    files: {
      ...both('#up', '#number', '#node_modules', '#url', '#absolute'),
      'package.json': {
        imports: {
          '#up': '../x.js',
          '#number': 7,
          '#node_modules': './node_modules/x',
          '#url': 'https://example.org/x.js',
          '#absolute': '/x',
        },
      },
    },
    shows: 'ERR_INVALID_PACKAGE_TARGET',
  },
  {
    title: 'imports: without a package.json of its own a directory uses that of the application',
    files: both('#nothing', '#app'),
    shows: 'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  },
  {
    title: 'imports: a package uses its own names, not those of the application',
    files: {
      'main.mjs': `import 'inner'; import 'open';`,
      'package.json': { imports: { '#own': './main.mjs' } },
      ...dependency(
        'inner',
        { type: 'module', imports: { '#own': './own.js' } },
        {
          'index.js': `import { tell } from 'tell'; await tell('own', () => import('#own')); await tell('not own', () => import('#other'));`,
          'own.js': `export default 'the own name of inner';`,
        },
      ),
      ...dependency(
        'open',
        {},
        { 'index.js': `const { tell } = require('tell'); tell('own', () => require('#own'));` },
      ),
    },
    shows: 'the own name of inner',
  },
  {
    title: 'imports: conditions of -C apply',
    args: ['-C', 'special', 'main.mjs'],
    files: {
      ...both('#special'),
      'package.json': { imports: { '#special': { special: './a.cjs', default: './b.mjs' } } },
    },
    shows: 'file a',
  },
  {
    title: 'imports: conditions beside nothing that matches',
    files: {
      ...both('#none', '#array'),
      'package.json': {
        imports: { '#none': { deno: './a.cjs' }, '#array': [{ deno: './a.cjs' }, './b.mjs'] },
      },
    },
    shows: 'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  },
];
