/** Programs around the "exports" of packages: conditions and patterns. */
import { askBoth, BUILDS, type Case, cjs, dependency } from './program.ts';

export const exportsPrograms: Case[] = [
  {
    title: 'exports: import and require get the builds of their conditions',
    files: {
      ...askBoth('dual'),
      ...dependency(
        'dual',
        { exports: { import: './import.mjs', require: './require.cjs' } },
        BUILDS,
      ),
    },
    shows: 'the require build',
  },
  {
    title: 'exports: the first matching condition is used, in the order of the object',
    files: {
      ...askBoth('ordered'),
      ...dependency(
        'ordered',
        { exports: { default: './default.cjs', import: './import.mjs', require: './require.cjs' } },
        BUILDS,
      ),
    },
    shows: 'the default build',
  },
  {
    title: 'exports: nested conditions fall through to the next condition',
    files: {
      ...askBoth('nested', 'nested/sub'),
      ...dependency(
        'nested',
        {
          exports: {
            '.': {
              node: { browser: './none.js', import: './import.mjs' },
              default: './default.cjs',
            },
            './sub': {
              deno: './none.js',
              node: { require: { custom: './custom.cjs', default: './require.cjs' } },
              default: './default.cjs',
            },
          },
        },
        BUILDS,
      ),
    },
    shows: 'the default build',
  },
  {
    title: 'exports: a custom condition of -C is used by import and require',
    args: ['-C', 'custom', '--conditions=other', 'main.mjs'],
    files: {
      ...askBoth('conditional', 'conditional/other'),
      ...dependency(
        'conditional',
        {
          exports: {
            '.': { custom: './custom.cjs', default: './default.cjs' },
            './other': { other: './custom.cjs', default: './default.cjs' },
          },
        },
        BUILDS,
      ),
    },
    shows: 'the custom build',
  },
  {
    title: 'exports: module-sync is used by import and require where Node has it',
    files: {
      ...askBoth('synchronous'),
      ...dependency(
        'synchronous',
        { exports: { 'module-sync': './import.mjs', default: './default.cjs' } },
        BUILDS,
      ),
    },
    shows: 'the import build',
    since: 22,
  },
  {
    title: 'exports: --no-addons removes the condition node-addons',
    args: ['--no-addons', 'main.mjs'],
    files: {
      ...askBoth('native'),
      ...dependency(
        'native',
        { exports: { 'node-addons': './custom.cjs', default: './default.cjs' } },
        BUILDS,
      ),
    },
    shows: 'the default build',
  },
  {
    // On Node 20 two threads write the warnings.
    since: 22,
    title: 'exports: patterns match with extensions, and the longest one is used',
    files: {
      ...askBoth(
        'patterns/features/x',
        'patterns/features/private/x',
        'patterns/features/deep/er/x.js',
        'patterns/features/',
        'patterns/raw/default.cjs',
        'patterns/raw/default',
      ),
      ...dependency(
        'patterns',
        {
          exports: {
            './features/*': './lib/*.cjs',
            './features/private/*': null,
            './features/*.js': './lib/js/*.cjs',
            './raw/*': './*',
          },
        },
        { ...BUILDS, 'lib/x.cjs': cjs('feature x'), 'lib/js/deep/er/x.cjs': cjs('deeper x') },
      ),
    },
    shows: 'deeper x',
  },
  {
    title: 'exports: a null target is not exported',
    files: {
      ...askBoth('nothing', 'nothing/sub', 'nothing/condition'),
      ...dependency(
        'nothing',
        {
          exports: {
            '.': null,
            './sub': [null],
            './condition': { import: null, default: './default.cjs' },
          },
        },
        BUILDS,
      ),
    },
    shows: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  },
  {
    title: 'exports: the first valid target of an array is used',
    files: {
      ...askBoth('array', 'array/invalid', 'array/missing', 'array/empty'),
      ...dependency(
        'array',
        {
          exports: {
            '.': ['not-relative', { deno: './none.js' }, './default.cjs'],
            './invalid': ['no', '../out'],
            './missing': ['./absent.cjs', './default.cjs'],
            './empty': [],
          },
        },
        BUILDS,
      ),
    },
    shows: 'the default build',
  },
];
