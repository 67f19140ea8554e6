/** Programs that fail: what is printed, and how errors can be handled. */
import { hasSyncHooks, MODES, type Program, type Start } from '../../support/conformance.ts';

const start = (...args: string[]): Start => ({ args });

/** A program that starts each of its `main` files. */
const failing = (title: string, files: Record<string, string>, ...more: Start[]): Program => ({
  title,
  files,
  starts: [
    ...Object.keys(files)
      .filter((path) => path.startsWith('main'))
      .map((path) => start(path)),
    ...more,
  ],
  shows: /Node\.js v/,
});

const deep = (load: string): string =>
  `const fail = (depth) => { if (depth > 0) return fail(depth - 1); ${load} };\nfail(3);`;

/** Prints an error without the frames of its stack. */
const PRINT = `
const print = (name, error) => console.log(name, String(error), Reflect.ownKeys(error), JSON.stringify(error),
  Object.prototype.toString.call(error), error.constructor === globalThis[error.name], error.cause, Object.getOwnPropertyDescriptor(error, 'message').enumerable);
const settle = async (name, load) => { try { console.log(name, await load()); } catch (error) { print(name, error); } };`;

export const programs: readonly Program[] = [
  {
    ...failing('an uncaught error of CommonJS', {
      'main.cjs': deep(`throw new TypeError('thrown', { cause: new Error('cause') });`),
      'main-inside.cjs': `process.nextTick(() => require('./part.cjs'));`,
      'part.cjs': deep(`throw new Error('inside');`),
    }),
    modes: MODES,
  },
  failing('uncaught errors of ES modules, and values that are no errors', {
    'main.mjs': deep(
      `throw Object.assign(new RangeError('thrown'), { code: 'CODE', extra: { a: 1 } });`,
    ),
    'main-inside.mjs': `import './part.cjs';`,
    'main-later.cjs': `import('./part.mjs');`,
    'main-string.mjs': `throw 'a string';`,
    'main-null.cjs': 'throw null;',
    'main-async.mjs': `await null; await (async () => { await null; throw new Error('late'); })();`,
    'part.cjs': deep(`throw new Error('inside');`),
    'part.mjs': deep(`throw new Error('inside');`),
  }),
  failing(
    'an uncaught value, with a trace of where it was thrown and of the exit',
    { 'main.cjs': `throw { not: 'an error' };` },
    start('--trace-uncaught', 'main.cjs'),
    start('--trace-exit', '--eval', 'process.exit(2)'),
  ),
  failing('modules that do not parse, and are not caught', {
    'main.cjs': `require('./part.cjs');`,
    'main.mjs': `import './part.mjs';`,
    'main-json.cjs': `require('./data.json');`,
    'main-json.mjs': `import './data.json' with { type: 'json' };`,
    'main-scope.mjs': `require('./part.cjs');`,
    'part.cjs': '\n  const = 1;',
    'part.mjs': 'export const a = 1;\n  export const = 1;',
    'data.json': '{ "a": }',
  }),
  {
    ...failing(
      'exports that are absent, graphs that require cannot load, and attributes that are missing',
      {
        'main.mjs': `import { absent } from './part.mjs';`,
        'main-named.mjs': `import { absent } from './part.cjs';`,
        'main-attribute.mjs': `import './data.json';`,
        'main-await.cjs': `require('./await.mjs');`,
        'main-cycle.mjs': `import './cycle.cjs';`,
        'part.mjs': 'export {};',
        'part.cjs': 'module.exports = {};',
        'data.json': '{}',
        'await.mjs': 'await null;',
        'cycle.cjs': `require('./main-cycle.mjs');`,
      },
    ),
    runsOn: hasSyncHooks,
  },
  {
    title: 'rejections that are not handled, under each mode',
    files: {
      'main.cjs': `
process.on('exit', (code) => console.log('exit', code));
process.on('warning', ({ name, message }) => console.log(name, message.split('\\n')[0]));
process.on('rejectionHandled', () => console.log('handled late'));
const promise = import('./part.mjs');
Promise.reject(new Error('own')); Promise.reject(5);
globalThis.handle = () => promise.catch(() => {});`,
      'part.mjs': `setImmediate(() => setImmediate(handle));\nthrow new Error('inside');`,
    },
    starts: ['strict', 'warn', 'none', 'warn-with-error-codes', 'throw'].map((mode) =>
      start(`--unhandled-rejections=${mode}`, 'main.cjs'),
    ),
    shows: /exit 1/,
  },
  {
    title: 'handlers of uncaught errors and of rejections',
    files: {
      'main.cjs': `
for (const event of ['uncaughtException', 'uncaughtExceptionMonitor', 'unhandledRejection'])
  process.on(event, (error, origin) => console.log(event, String(error), error.code, typeof origin === 'string' ? origin : 'promise'));
const steps = [
  [1, () => { require('absent'); }], [1, () => { import('absent'); }], [2, () => { require('./part.cjs'); }],
  [0, () => { process.setUncaughtExceptionCaptureCallback((error) => console.log('captured', error.message)); throw new Error('last'); }],
];
let left = 0;
const next = () => { const [events, step] = steps.shift(); left = events; step(); };
for (const event of ['uncaughtException', 'unhandledRejection']) process.on(event, () => { if (--left === 0) setImmediate(next); });
next();`,
      'part.cjs': `import('./wrong.mjs');\nthrow new Error('inside');`,
      'wrong.mjs': 'await null; null.x;',
    },
    starts: [start('main.cjs')],
    runsOn: hasSyncHooks,
    shows: /captured last/,
    modes: ['--import', '--require'],
  },
  {
    title: 'keys, causes and text of errors of the loader',
    files: {
      'main.mjs': `
import { createRequire } from 'node:module';${PRINT}
const require = createRequire(import.meta.url);
const loads = {
  require: () => require('absent'), relative: () => require('./absent'), import: () => import('absent'),
  file: () => import('./absent.mjs'), resolve: () => import.meta.resolve('absent'), nested: () => require('./part.cjs'),
  thrown: () => import('./thrown.mjs'), main: () => require('./broken'), invalid: () => import('./bad'), unexported: () => import('kit/absent'),
  'unexported by require': () => require('kit/absent'), subpath: () => require('kit/sub/absent'), imports: () => import('#absent'),
  number: () => require(5), empty: () => require(''), builtin: () => require('node:absent'), 'imported builtin': () => import('node:absent'),
  url: () => import('http://127.0.0.1/x.mjs'), encoded: () => import('./a%2fb.mjs'), directory: () => import('./'), text: () => import({ toString: () => './part.cjs' }),
};
for (const [name, load] of Object.entries(loads)) await settle(name, load);
const twice = await Promise.all([1, 2].map(() => import('./thrown.mjs').catch((error) => error)));
console.log(twice[0] === twice[1]);`,
      'part.cjs': `require('absent');`,
      'thrown.mjs': `throw new Error('thrown');`,
      'broken/package.json': { main: 'absent.js' },
      'bad/package.json': '{',
      'node_modules/kit/package.json': {
        name: 'kit',
        exports: { '.': './index.js', './sub/*': './*.js' },
      },
    },
    starts: [start('main.mjs')],
    runsOn: hasSyncHooks,
    shows: /unexported by require/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'frames of errors that modules throw, by Error.prepareStackTrace and at every limit',
    files: {
      'main.cjs': `
const look = async (name, load) => { try { console.log(name, (await load()).default ?? await load()); } catch (error) { console.log(name, String(error), '\\n' + error.stack); } };
(async () => {
  console.log(Error.stackTraceLimit, Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit'), Error.prepareStackTrace);
  for (const limit of [0, 2, Infinity, 'text', undefined]) {
    Error.stackTraceLimit = limit;
    await look(limit, () => require('./stack.cjs'));
    delete require.cache[require.resolve('./stack.cjs')];
    await look(limit, () => import('./stack.mjs?' + limit));
    await look(limit, () => require('./part.cjs'));
    console.log(Error.stackTraceLimit);
  }
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = (error, sites) => sites.map((site) => [site.getFunctionName(), site.getTypeName(), site.getMethodName(), site.getFileName(), site.getLineNumber(), site.isConstructor(), site.isAsync(), site.isNative()].join(' ')).join('\\n');
  delete require.cache[require.resolve('./stack.cjs')];
  await look('prepared', () => require('./stack.cjs'));
  await look('prepared', () => import('./stack.mjs'));
  await look('prepared', () => require('./part.cjs'));
  await look('prepared', () => import('./part.cjs?1'));
})();`,
      'part.cjs': `throw new Error('inside');`,
      'stack.cjs': `module.exports = new Error('in CommonJS').stack;`,
      'stack.mjs': `export default new Error('in an ES module').stack;`,
    },
    starts: [start('main.cjs'), start('--stack-trace-limit=100', 'main.cjs')],
    shows: /in an ES module/,
    modes: ['--import', '--require'],
  },
  {
    title: 'source maps in stacks',
    files: {
      'main.cjs': `
const { findSourceMap } = require('node:module');
console.log(process.sourceMapsEnabled, findSourceMap(__filename)?.payload);
try { require('./mapped.cjs')(); } catch ({ stack }) { console.log(stack); }
import('./mapped.mjs').then(({ default: fail }) => fail()).catch(({ stack }) => console.log(stack)).then(() => {
  process.setSourceMapsEnabled(true);
  return import('./mapped.mjs?again');
}).then(({ default: fail }) => fail());`,
      ...Object.fromEntries(
        Object.entries({ cjs: 'module.exports = ', mjs: 'export default ' }).map(([kind, how]) => {
          const map = {
            version: 3,
            sources: [`original-${kind}.ts`],
            names: [],
            mappings: ';;;AAUA',
            sourcesContent: ['\n\n\n\n\n\n\n\n\n\nthrown here\n'],
          };
          const url = `data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
          const text = `\n\n\n${how}() => { throw new Error('mapped'); };\n//# sourceMappingURL=${url}\n`;
          return [`mapped.${kind}`, text];
        }),
      ),
    },
    starts: [start('main.cjs'), start('--enable-source-maps', 'main.cjs')],
    shows: /mapped\.mjs/,
    modes: ['--require'],
  },
];
