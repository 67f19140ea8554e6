/** Programs around the "exports" of packages: targets, subpaths, and packages that ask for themselves. */
import { askBoth, askingModule, BUILDS, type Case, cjs, dependency, esm } from './program.ts';

const INVALID = [
  '../out.cjs',
  'no-dot.cjs',
  './node_modules/x.cjs',
  './a/../../out.cjs',
  5,
  '/etc/hosts',
  './%2e%2e/out.cjs',
];

export const targetPrograms: Case[] = [
  {
    title: 'exports: an invalid target is ERR_INVALID_PACKAGE_TARGET',
    files: {
      ...askBoth(
        ...INVALID.map((_, at) => `invalid/${at}`),
        'invalid/pattern/..',
        'invalid/pattern/a/../b',
        'invalid/pattern/node_modules/x',
      ),
      ...dependency('invalid', {
        exports: {
          ...Object.fromEntries(INVALID.map((target, at) => [`./${at}`, target])),
          './pattern/*': './lib/*',
        },
      }),
    },
    shows: 'ERR_INVALID_PACKAGE_TARGET',
  },
  {
    title: 'exports: a string and an array without conditions export the package alone',
    files: {
      ...askBoth('string', 'string/default.cjs', 'list', 'string/package.json'),
      ...dependency('string', { exports: './default.cjs' }, BUILDS),
      ...dependency('list', { exports: ['./default.cjs'] }, BUILDS),
    },
    shows: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  },
  {
    title: 'exports: conditions beside subpaths, and numeric keys, are ERR_INVALID_PACKAGE_CONFIG',
    files: {
      ...askBoth('mixed', 'numeric', 'numeric/sub'),
      ...dependency('mixed', { exports: { '.': './default.cjs', import: './import.mjs' } }, BUILDS),
      ...dependency(
        'numeric',
        {
          exports: {
            '.': { 0: './default.cjs', default: './default.cjs' },
            './sub': { 1: './x.js' },
          },
        },
        BUILDS,
      ),
    },
    shows: 'ERR_INVALID_PACKAGE_CONFIG',
  },
  {
    title: 'exports: false, an empty object and null',
    files: {
      ...askBoth('false', 'empty', 'null'),
      ...dependency('false', { exports: false, main: './default.cjs' }, BUILDS),
      ...dependency('empty', { exports: {}, main: './default.cjs' }, BUILDS),
      ...dependency('null', { exports: null, main: './default.cjs' }, BUILDS),
    },
    shows: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  },
  {
    title: 'exports: an exported file that is missing, and an exported directory',
    files: {
      ...askBoth('missing-target', 'missing-target/dir', 'missing-target/bare'),
      ...dependency(
        'missing-target',
        { exports: { '.': './absent.cjs', './dir': './lib', './bare': './default' } },
        { ...BUILDS, 'lib/index.js': cjs('never') },
      ),
    },
    shows: 'ERR_UNSUPPORTED_DIR_IMPORT',
  },
  {
    // On Node 20 two threads write the warnings.
    since: 22,
    title: 'exports: encoded separators and odd subpaths are refused',
    files: {
      ...askBoth(
        'odd/a%2fb',
        'odd/a%5Cb',
        'odd/..',
        'odd/./a',
        'odd//a',
        'odd/a/',
        'odd/',
        'odd/%61',
        'odd/a b',
        'odd/a?query',
        'odd/a#hash',
      ),
      ...dependency(
        'odd',
        { exports: { './*': './lib/*', './a b': './default.cjs' } },
        { ...BUILDS, 'lib/a/index.js': cjs('a'), 'lib/%61': cjs('a') },
      ),
    },
    shows: 'ERR_INVALID_MODULE_SPECIFIER',
  },
  {
    title: 'exports: a package without exports has every file, and import adds no extension',
    files: {
      ...askBoth(
        'open',
        'open/lib/x',
        'open/lib/x.cjs',
        'open/lib',
        'open/lib/',
        'open/package.json',
        'open/lib/../default.cjs',
      ),
      ...dependency(
        'open',
        { main: './default.cjs' },
        { ...BUILDS, 'lib/x.cjs': cjs('x'), 'lib/index.js': cjs('index') },
      ),
    },
    shows: 'ERR_UNSUPPORTED_DIR_IMPORT',
  },
  {
    title: 'self-reference: a package imports and requires itself through its exports',
    files: {
      'main.mjs': askingModule(
        `import('myself')`,
        `import('myself/sub')`,
        `import('myself/absent')`,
        `require('myself')`,
        `require('myself/absent')`,
        `import.meta.resolve('myself/sub')`,
      ),
      'package.json': {
        name: 'myself',
        exports: { '.': './self.mjs', './sub': { import: './self.mjs', require: './self.cjs' } },
      },
      'self.mjs': esm('this package'),
      'self.cjs': cjs('this package, required'),
    },
    shows: 'this package',
  },
  {
    title: 'self-reference: without exports a package is not found by its own name',
    files: {
      'main.mjs': askingModule(`import('closed')`, `require('closed')`, `import('@scoped/closed')`),
      'package.json': { name: 'closed', main: './self.mjs' },
      'self.mjs': esm('never'),
    },
    shows: 'ERR_MODULE_NOT_FOUND',
  },
  {
    title: 'self-reference: a nested package finds itself before a copy below it',
    files: {
      'main.mjs': `import 'looking';`,
      ...dependency(
        'looking',
        { type: 'module', exports: './index.js' },
        {
          'index.js': `import { tell } from 'tell'; await tell('self', () => import.meta.resolve('looking'));`,
          'node_modules/looking/package.json': '{}',
        },
      ),
    },
    shows: 'node_modules/looking/',
  },
];
