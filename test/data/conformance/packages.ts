/** Programs around packages: their entry points and manifests. */
import { askBoth, askingModule, type Case, cjs, dependency } from './program.ts';

export const packagePrograms: Case[] = [
  {
    title: 'main: without main, index.js is used; import finds no index.json, require does',
    files: {
      ...askBoth('with-index', 'with-json', 'with-node'),
      ...dependency('with-index', {}, { 'index.js': cjs('index.js') }),
      ...dependency('with-json', {}, { 'index.json': { from: 'index.json' } }),
      ...dependency('with-node', {}, { 'index.node': 'not an addon' }),
    },
    shows: 'index.json',
  },
  {
    title: 'main: a directory, a name without extension, a trailing slash',
    files: {
      ...askBoth('main-dir', 'main-bare', 'main-slash', 'main-dotless'),
      ...dependency('main-dir', { main: 'lib' }, { 'lib/index.js': cjs('lib/index.js') }),
      ...dependency('main-bare', { main: './lib/file' }, { 'lib/file.js': cjs('lib/file.js') }),
      ...dependency('main-slash', { main: './lib/' }, { 'lib/index.js': cjs('lib/index.js') }),
      ...dependency('main-dotless', { main: 'lib/file.js' }, { 'lib/file.js': cjs('lib/file.js') }),
    },
    shows: 'lib/file.js',
  },
  {
    title: 'main: a missing file falls back to index.js with a deprecation warning, or fails',
    files: {
      ...askBoth('main-missing', 'main-nothing'),
      ...dependency('main-missing', { main: './absent.js' }, { 'index.js': cjs('index.js') }),
      ...dependency('main-nothing', { main: './absent.js' }),
    },
    shows: 'DEP0128',
  },
  {
    title: 'main: values that are not strings are ignored',
    files: {
      ...askBoth('main-number', 'main-null', 'main-empty', 'main-dot', 'main-up'),
      ...dependency('main-number', { main: 5 }, { 'index.js': cjs('index of number') }),
      ...dependency('main-null', { main: null }, { 'index.js': cjs('index of null') }),
      ...dependency('main-empty', { main: '' }, { 'index.js': cjs('index of empty') }),
      ...dependency('main-dot', { main: '.' }, { 'index.js': cjs('index of dot') }),
      ...dependency('main-up', { main: '../main-dot/index.js' }),
    },
    shows: 'index of number',
  },
  {
    title: 'main: a path that leads through node_modules again',
    files: {
      ...askBoth('outer', 'outer/node_modules/inner'),
      ...dependency(
        'outer',
        { main: './node_modules/inner' },
        { 'node_modules/inner/index.js': cjs('inner') },
      ),
    },
    shows: 'inner',
  },
  {
    title: 'a package without a package.json has its index.js',
    files: {
      ...askBoth('bare', 'bare/index.js', 'bare/index'),
      'node_modules/bare/index.js': cjs('bare'),
    },
    shows: 'bare',
  },
  {
    title: 'an empty package directory, and a file in place of one',
    files: {
      ...askBoth('hollow', 'filed', 'filed/sub'),
      ...dependency('hollow/deep', {}),
      'node_modules/filed': cjs('a file'),
    },
    shows: 'ERR_MODULE_NOT_FOUND',
  },
  {
    title: 'a file in node_modules with an extension is found by require alone',
    files: { ...askBoth('single', 'single.js'), 'node_modules/single.js': cjs('single') },
    shows: 'single',
  },
  {
    title: 'a broken package.json is ERR_INVALID_PACKAGE_CONFIG',
    files: {
      ...askBoth(
        'broken',
        'broken/index.js',
        'empty-manifest',
        'list-manifest',
        'text-manifest',
        'null-manifest',
      ),
      ...dependency('broken', '{ "main": ', { 'index.js': cjs('never') }),
      ...dependency('empty-manifest', '', { 'index.js': cjs('empty') }),
      ...dependency('list-manifest', '[]', { 'index.js': cjs('list') }),
      ...dependency('text-manifest', '"text"', { 'index.js': cjs('text') }),
      ...dependency('null-manifest', 'null', { 'index.js': cjs('null') }),
    },
    shows: 'ERR_INVALID_PACKAGE_CONFIG',
  },
  {
    title: 'a broken package.json beside the program ends it',
    files: { 'main.js': `console.log('never');`, 'package.json': '{ "type": "module", ' },
    shows: 'package.json',
  },
  {
    title: 'a broken package.json between a file and its package',
    files: {
      'main.mjs': askingModule(`import('./lib/x.js')`, `require('./lib/x.js')`),
      'lib/package.json': '{',
      'lib/x.js': cjs('x'),
    },
    shows: 'ERR_INVALID_PACKAGE_CONFIG',
  },
  {
    title: 'a package.json that is a directory counts as missing',
    files: {
      ...askBoth('manifest-dir'),
      'node_modules/manifest-dir/package.json/x': '',
      'node_modules/manifest-dir/index.js': cjs('index beside it'),
    },
    shows: 'manifest-dir',
  },
  {
    title: 'a package.json with a byte order mark, and one with a key __proto__',
    files: {
      ...askBoth('marked', 'proto'),
      ...dependency('marked', '\ufeff{ "main": "a.js" }', { 'a.js': cjs('a') }),
      ...dependency('proto', '{ "__proto__": { "main": "b.js" }, "main": "a.js" }', {
        'a.js': cjs('own main'),
        'b.js': cjs('b'),
      }),
    },
    shows: 'own main',
  },
];
