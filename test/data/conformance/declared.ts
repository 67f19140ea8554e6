/** Programs that ask for declared packages that the application ships: they are its own. */
import type { Mode } from '../../support/conformance.ts';
import { askingModule, askingScript, type Case, dependency } from './program.ts';

const SPECIFIERS = [
  'core-one',
  'core-one/sub.js',
  'core-one/absent.js',
  '@core/two',
  '@core/two/sub',
  '@core/two/hidden.js',
  '@core/two/package.json',
];
const esm = askingModule(
  ...SPECIFIERS.flatMap((name) => [
    `import('${name}')`,
    `import.meta.resolve('${name}')`,
    `require('${name}')`,
    `require.resolve('${name}')`,
  ]),
  `require.resolve('core-one', { paths: [import.meta.dirname] })`,
  `require.resolve('core-one', { paths: ['/'] })`,
);
const cjs = askingScript(
  ...SPECIFIERS.flatMap((name) => [
    `require('${name}')`,
    `require.resolve('${name}')`,
    `import('${name}')`,
  ]),
);

/** Files beside the application, which ask for declared packages. */
export const OUTSIDE = {
  'outside/asking.cjs': `function ask() { require('absent-one'); }\nask();`,
  'outside/asking.mjs': `await import('absent-one');`,
  'outside/core.mjs': `import 'core-one';`,
};

/** Packages of the application that are declared. */
export const SHIPPED = {
  ...dependency(
    'core-one',
    { version: '1.0.0' },
    {
      'index.js': `exports.from = 'the application'; exports.stack = new Error().stack;`,
      'sub.js': `exports.sub = true;`,
    },
  ),
  ...dependency(
    '@core/two',
    {
      version: '2.0.0',
      exports: { '.': { import: './index.mjs', require: './index.cjs' }, './sub': './absent.js' },
    },
    {
      'index.mjs': `export const from = 'the application', { stack } = new Error();`,
      'index.cjs': `exports.from = 'the application, required';`,
      'hidden.js': '',
    },
  ),
};

export const declaredPrograms: Case[] = [
  {
    title: 'declared and shipped: a module gets the copy of the application',
    files: { 'main.mjs': esm },
    shows: 'the application, required',
  },
  {
    title: 'declared and shipped: a script gets the copy of the application',
    files: { 'main.cjs': cjs },
    shows: 'the application, required',
  },
  {
    title: 'declared and shipped: static imports',
    files: {
      'main.mjs': `import one from 'core-one'; import * as two from '@core/two'; console.log(one, two);`,
    },
    shows: 'the application',
  },
  {
    title: 'declared and shipped: a subpath that is not exported ends the program',
    files: { 'main.mjs': `import '@core/two/hidden.js';` },
    shows: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  },
  {
    title: 'declared and shipped: a file that is missing ends the program',
    files: { 'main.mjs': `import 'core-one/absent.js';` },
    shows: 'ERR_MODULE_NOT_FOUND',
  },
  {
    title: 'declared and shipped: a required subpath that is not exported ends the program',
    files: { 'main.cjs': `console.log('before');\nrequire('@core/two/hidden.js');` },
    modes: ['--import'],
    shows: 'ERR_PACKAGE_PATH_NOT_EXPORTED',
  },
  {
    title: 'declared and shipped: a required file that is missing ends the program',
    files: { 'main.cjs': `console.log('before');\nrequire('core-one/absent.js');` },
    modes: ['--import'],
    shows: 'MODULE_NOT_FOUND',
  },
  {
    title: 'declared and shipped: a nearer copy of a package is used',
    files: {
      'main.mjs': `import outer from 'outer'; console.log(outer);`,
      ...dependency(
        'outer',
        {},
        {
          'index.js': `module.exports = require('core-one');`,
          'node_modules/core-one/index.js': `module.exports = 'the nearer copy';`,
        },
      ),
    },
    shows: 'the nearer copy',
  },
  {
    title: 'declared and shipped: a nearer broken copy is the one that fails',
    files: {
      'main.mjs': `import 'outer';`,
      ...dependency(
        'outer',
        {},
        {
          'index.js': askingScript(`require('core-one')`, `import('core-one')`),
          'node_modules/core-one/package.json': '{',
        },
      ),
    },
    shows: 'package.json',
  },
  {
    title: 'declared and shipped: in a worker',
    files: {
      'main.cjs': `new (require('node:worker_threads').Worker)(__dirname + '/script.cjs').on('exit', (code) => console.log('exit', code));`,
      'script.cjs': cjs,
    },
    shows: 'exit 0',
  },
  { title: 'declared and shipped: with --eval', args: ['--eval', cjs], shows: 'the application' },
  {
    title: 'declared: names that files outside of the application ask for, with their stacks',
    files: {
      'main.mjs': askingModule(
        ...['require', 'import'].map((how) => `${how}('../../outside/asking.cjs')`),
        `import('../../outside/asking.mjs')`,
        `import('../../outside/core.mjs')`,
      ),
    },
    shows: 'absent-one',
  },
  ...['--import', '--require'].map(
    (mode): Case => ({
      title: `declared: a name that a file outside of the application asks for ends the program (${mode})`,
      files: { 'main.cjs': `require('../../outside/asking.cjs');` },
      shows: 'absent-one',
      modes: [mode as Mode],
    }),
  ),
  {
    title: 'declared: as part of longer names and paths nothing is declared',
    files: {
      'main.mjs': askingModule(
        ...[
          'core-one-more',
          'stored',
          'absent-one-',
          './core-one',
          './node_modules/core-one',
          '@core',
          '@core/',
          '@core/twofold',
          '@absent',
          'core-on',
          '#core-one',
          'core_one',
          'CORE-ONE',
          'absent%2Done',
        ].flatMap((name) => [`import('${name}')`, `require('${name}')`]),
      ),
      'core-one.js': `export default 'a file';`,
    },
    shows: 'a file',
  },
  {
    title: 'declared: the names are no files, globals or builtins of Node',
    files: {
      'main.mjs': `import { builtinModules, isBuiltin } from 'node:module'; console.log(builtinModules.some((name) => name.includes('core-one')), isBuiltin('core-one'), 'core-one' in globalThis, Object.keys(globalThis).length, process.moduleLoadList === undefined);`,
    },
    shows: 'false false false',
  },
];
