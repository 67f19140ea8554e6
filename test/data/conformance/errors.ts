/** Programs that end with an error of resolution. */
import { FAILING, FAILURES } from './failures.ts';
import type { Case } from './program.ts';

const uncaught: Case[] = FAILURES.flatMap(([specifier, what, shows, required]) => [
  {
    title: `uncaught: a static import of ${what}`,
    files: { 'main.mjs': `console.log('never');\nimport '${specifier}';`, ...FAILING },
    shows,
  },
  ...(required === undefined
    ? []
    : [
        {
          title: `uncaught: require of ${what}`,
          files: { 'main.cjs': `console.log('before');\n\nrequire('${specifier}');`, ...FAILING },
          shows: required,
          modes: ['--import'] as const,
        },
      ]),
]);

const others: [title: string, files: Record<string, string>, shows: string][] = [
  [
    'an import() in a module',
    { 'main.mjs': `console.log('before');\nawait import('no-such-package');` },
    'ERR_MODULE_NOT_FOUND',
  ],
  [
    'an import() in a script',
    { 'main.cjs': `console.log('before');\nimport('no-such-package');` },
    'ERR_MODULE_NOT_FOUND',
  ],
  ['import.meta.resolve', { 'main.mjs': `import.meta.resolve('no-such-package');` }, 'main.mjs'],
  ['require.resolve', { 'main.cjs': `require.resolve('no-such-package');` }, 'MODULE_NOT_FOUND'],
  [
    'createRequire',
    {
      'main.mjs': `import { createRequire } from 'node:module';\nfunction ask() {\n  createRequire(import.meta.url)('no-such-package');\n}\nask();`,
    },
    'MODULE_NOT_FOUND',
  ],
  [
    'an imported module further away',
    { 'main.mjs': `import './between.mjs';`, 'between.mjs': `import './importing.mjs';` },
    'no-such-package',
  ],
  [
    'a required module further away',
    {
      'main.cjs': `require('./between.cjs');`,
      'between.cjs': `function ask() { require('no-such-package'); }\nask();`,
    },
    'between.cjs',
  ],
  [
    'a required module, in a timer',
    { 'main.cjs': `setTimeout(function later() { require('no-such-package'); });` },
    'later',
  ],
  [
    'an import that lacks a name',
    { 'main.mjs': `import { absent } from './there.mjs';` },
    'does not provide an export named',
  ],
  ['a main file that is missing', {}, 'MODULE_NOT_FOUND'],
  [
    'an error that a handler of uncaught exceptions gets',
    {
      'main.cjs': `process.on('uncaughtException', (error, origin) => console.log(origin, error.stack)); require('no-such-package');`,
    },
    'Error: Cannot find module',
  ],
  [
    'an error that a handler of rejections gets',
    {
      'main.mjs': `process.on('unhandledRejection', (error) => console.log(error.stack)); import('no-such-package');`,
    },
    'ERR_MODULE_NOT_FOUND',
  ],
  [
    'an error thrown again with a cause',
    {
      'main.mjs': `try { await import('no-such-package'); } catch (cause) { throw new Error('why', { cause }); }`,
    },
    '[cause]',
  ],
];

export const errorPrograms: Case[] = [
  ...uncaught,
  ...others.map(
    ([what, files, shows]): Case => ({
      title: `uncaught: ${what}`,
      files: { ...files, ...FAILING },
      args: [Object.keys(files)[0] ?? 'absent.mjs'],
      shows,
      modes: ['--import'],
    }),
  ),
];
