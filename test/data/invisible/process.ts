/** Programs that look at the process: its properties, events, handles and exit. */
import { hasSyncHooks, MODES, type Program } from '../../support/conformance.ts';

/** Prints each own key of some objects with its attributes. */
const KEYS = `
const Module = require('node:module');
const list = (name, object) => {
  for (const key of Reflect.ownKeys(object)) {
    const { value, get, set, enumerable, configurable, writable } = Object.getOwnPropertyDescriptor(object, key);
    const functions = [value, get, set].map((one) => typeof one === 'function' ? one.name + '/' + one.length : typeof one);
    console.log(name, enumerable, configurable, writable, ...functions, key);
  }
};
`;

export const programs: readonly Program[] = [
  {
    title: 'arguments, options, title and environment',
    files: {
      'main.cjs': `
const { argv, argv0, execArgv, execPath, title, env, config, features, release, versions, allowedNodeEnvironmentFlags } = process;
console.log({ argv, argv0, execArgv, execPath, title, env, config, features, release, versions });
console.log(Object.keys(process), allowedNodeEnvironmentFlags.size, process.pid > 0, process.umask());`,
    },
    starts: [{ args: ['--no-warnings', 'main.cjs', 'one', '--two', '-r', 'x'] }],
    shows: /'--two'/,
    modes: MODES,
  },
  {
    title: 'keys, symbols and attributes of globalThis',
    files: { 'main.cjs': `${KEYS}list('global', globalThis);` },
    starts: [{ args: ['main.cjs'] }],
    // The one symbol that annex may define: its attributes and the rest of its line are compared here.
    clean: (text) =>
      text.replace(/^global false true \S+ \S+ \S+ \S+ Symbol\(annex\.\w+@[\d.]+\)\n/m, ''),
    shows: /global true true true setTimeout/,
    modes: ['--import', 'NODE_OPTIONS --require'],
  },
  {
    title: 'names, lengths and attributes of builtins that a preload may load',
    files: {
      'main.cjs': `${KEYS}
for (const name of ['fs', 'fs/promises', 'path', 'url', 'os', 'crypto', 'child_process', 'worker_threads', 'util', 'events', 'perf_hooks', 'stream'])
  list(name, require(name));
for (const type of [Object, Array, String, Map, Set, RegExp, Promise, Error, Function, JSON, Reflect, Symbol])
  { list(type.name, type); if (type.prototype) list(type.name + '.prototype', type.prototype); }`,
    },
    starts: [{ args: ['--no-warnings', 'main.cjs'] }],
    shows: /fs true true true readFileSync\/2/,
  },
  {
    title: 'handles, requests and resources',
    files: {
      'main.cjs': `
const look = (when) => console.log(when, process.getActiveResourcesInfo(), process._getActiveHandles().length, process._getActiveRequests().length);
look('first');
import('./part.mjs').then(() => { look('imported'); setImmediate(look, 'later'); });
process.on('beforeExit', () => look('beforeExit'));`,
      'part.mjs': 'export {};',
    },
    starts: [{ args: ['main.cjs'] }],
    runsOn: hasSyncHooks,
    shows: /imported \[/,
    modes: MODES,
  },
  {
    title: 'listeners of process and of its streams',
    files: {
      'main.cjs': `
const look = (name, emitter) => console.log(name, emitter.eventNames().map((event) => [event, emitter.listeners(event).map((one) => one.name)]));
const all = () => { look('process', process); look('stdout', process.stdout); look('stderr', process.stderr); look('stdin', process.stdin); };
all();
import('node:fs').then(() => setImmediate(all));`,
    },
    starts: [{ args: ['main.cjs'] }],
    runsOn: hasSyncHooks,
    shows: /process \[/,
  },
  {
    title: 'events before the exit, in order, with exit codes',
    files: {
      'main.mjs': `
let rounds = 0;
for (const event of ['beforeExit', 'exit']) process.on(event, (code) => console.log(event, code, process.exitCode));
process.on('beforeExit', () => { if (++rounds < 3) setTimeout(() => import('./part.mjs?' + rounds), 1); });
process.exitCode = 3;
console.error('main ends');`,
      'part.mjs': `console.log(import.meta.url);`,
    },
    starts: [{ args: ['main.mjs'], isMerged: true }],
    shows: /beforeExit 3 3\n.*\?1/s,
  },
  {
    title: 'process.exit in a module, while others are imported',
    files: {
      'main.mjs': `process.on('exit', (code) => console.log('exit', code));
import('./slow.mjs').then(() => console.log('never'));
import './part.mjs';`,
      'slow.mjs': `await new Promise((resolve) => setTimeout(resolve, 60_000));`,
      'part.mjs': `setImmediate(() => process.exit(7));`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /exit 7/,
  },
  {
    title: 'a top-level await that never settles',
    files: {
      'main.mjs': `process.on('exit', (code) => console.log('exit', code));\nawait new Promise(() => {});`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /exit (?:0|13)/,
  },
  {
    title: 'an import that never settles',
    files: {
      'main.cjs': `process.on('exit', (code) => console.log('exit', code));\nimport('./part.mjs').then(console.log);`,
      'part.mjs': `await new Promise(() => {});`,
    },
    starts: [{ args: ['main.cjs'] }],
    shows: /exit (?:0|13)/,
  },
  {
    title: 'a signal that ends the process, and one that is handled',
    files: {
      'main.mjs': `
process.once('SIGTERM', (...args) => {
  console.log(args, process.listenerCount('SIGTERM'));
  process.kill(process.pid, 'SIGTERM');
});
process.kill(process.pid, 'SIGTERM');
setInterval(() => {}, 60_000);`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /SIGTERM/,
  },
  {
    title: 'standard input, read by events and by iteration',
    files: {
      'main.mjs': `for await (const chunk of process.stdin.setEncoding('utf8')) console.log(await import('node:os').then(() => chunk));`,
    },
    starts: [{ args: ['main.mjs'], input: 'one\ntwo\n' }],
    shows: /two/,
  },
  {
    title: 'warnings, their listeners and their traces',
    files: {
      'main.cjs': `
process.on('warning', ({ name, message, stack }) => console.log(name, message, stack.split('\\n').length));
process.emitWarning('one', { code: 'CODE', detail: 'detail' });
new Buffer(1);
require('node:util').deprecate(() => {}, 'old', 'DEP_OWN')();
const emitter = new (require('node:events'))();
for (let i = 0; i < 12; i++) emitter.on('x', () => {});
import('./part.mjs');`,
      'part.mjs': `process.emitWarning('two', 'OwnWarning');`,
    },
    starts: [
      { args: ['main.cjs'] },
      { args: ['--trace-warnings', 'main.cjs'] },
      { args: ['--trace-deprecation', '--disable-warning=OwnWarning', 'main.cjs'] },
      { args: ['--throw-deprecation', 'main.cjs'] },
      { args: ['--pending-deprecation', '--no-warnings', 'main.cjs'] },
      { args: ['main.cjs'], env: { NODE_PENDING_DEPRECATION: '1', NODE_NO_WARNINGS: '1' } },
    ],
    shows: /OwnWarning two/,
  },
];
