/** Programs that look at the order of events, at asynchronous contexts and at what observes a process. */
import { hasSyncHooks, type Program } from '../../support/conformance.ts';

export const programs: readonly Program[] = [
  {
    title: 'the order of import among microtasks, ticks, timers and immediates',
    files: {
      'main.mjs': `
const log = (name) => () => console.log(name);
const round = async (name, load) => {
  console.log('round', name);
  let turns = 0;
  const done = load().then(log('import'), log('failure'));
  process.nextTick(log('tick')); setImmediate(log('immediate')); setTimeout(log('timer'), 0);
  let promise = Promise.resolve();
  for (let i = 0; i < 12; i++) promise = promise.then(log('microtask ' + i));
  await done; await promise;
  await new Promise((resolve) => setTimeout(resolve, 5));
};
await import('./part.mjs');
await round('loaded', () => import('./part.mjs'));
await round('builtin', () => import('node:dgram'));
await round('data', () => import('data:text/javascript,export{}'));
await round('failed', () => import('absent'));
await round('invalid', () => import('node:absent'));`,
      'part.mjs': 'export {};',
    },
    // Timers and immediates are in no fixed order.
    clean: (text) => text.replaceAll(/^(?:immediate|timer)\n/gm, ''),
    starts: [{ args: ['main.mjs'] }],
    runsOn: hasSyncHooks,
    shows: /round invalid/,
  },
  {
    title: 'the order in which modules of one graph and of several imports run',
    files: {
      'main.mjs': `
import './a.mjs'; import './b.cjs'; import './c.mjs';
console.log('main');
await Promise.all(['./d.mjs', './e.cjs', './f.mjs', './c.mjs'].map((one) => import(one).then(() => console.log('imported', one))));`,
      'a.mjs': `import './b.cjs'; console.log('a'); await null; console.log('a later');`,
      'b.cjs': `console.log('b'); require('./g.cjs'); import('./d.mjs').then(() => console.log('b imported'));`,
      'c.mjs': `import './a.mjs'; console.log('c'); export default 1;`,
      'd.mjs': `import './f.mjs'; console.log('d'); await new Promise(setImmediate); console.log('d later');`,
      'e.cjs': `console.log('e'); require('./g.cjs'); module.exports = 1;`,
      'f.mjs': `console.log('f'); export * from './c.mjs';`,
      'g.cjs': `console.log('g');`,
    },
    starts: [{ args: ['main.mjs'] }],
    runsOn: hasSyncHooks,
    shows: /d later/,
  },
  {
    title: 'AsyncLocalStorage across import and require',
    files: {
      'main.mjs': `
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
globalThis.storage = new AsyncLocalStorage();
const require = createRequire(import.meta.url);
for (const name of ['one', 'two']) {
  await storage.run(name, async () => {
    const { seen } = await import('./part.mjs?' + name);
    console.log(name, seen, await import('./later.mjs'), require('./part.cjs'), storage.getStore());
    await import('absent').catch(({ code }) => console.log(code, storage.getStore()));
  });
}
console.log(storage.getStore());`,
      'part.mjs': `const before = storage.getStore(); await null; export const seen = [before, storage.getStore()];`,
      'later.mjs': `await new Promise((resolve) => setTimeout(resolve, 1)); export default storage.getStore();`,
      'part.cjs': `module.exports = storage.getStore();`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /two \[ 'two'/,
  },
  {
    title: 'asynchronous resources that a hook counts during import and require',
    files: {
      'main.cjs': `
const { createHook, executionAsyncId, triggerAsyncId } = require('node:async_hooks');
const seen = [];
const hook = createHook({ init: (id, type, trigger) => seen.push(type) }).enable();
(async () => {
  require('./part.cjs');
  await import('./part.mjs');
  await import('node:os');
  await import('absent').catch(() => {});
  hook.disable();
  console.log(seen.length, seen, executionAsyncId() > 0, triggerAsyncId() > 0);
})();`,
      'part.mjs': 'export {};',
      'part.cjs': '',
    },
    starts: [{ args: ['main.cjs'] }],
    runsOn: hasSyncHooks,
    shows: /PROMISE/,
  },
  {
    title: 'subscribers of diagnostics channels, and what they get',
    files: {
      'main.cjs': `
const { channel, hasSubscribers, tracingChannel, subscribe } = require('node:diagnostics_channel');
const names = ['module.require', 'module.import'];
for (const name of [...names.flatMap((one) => ['start', 'end', 'error', 'asyncStart', 'asyncEnd'].map((part) => 'tracing:' + one + ':' + part)),
  'child_process', 'worker_threads', 'http.client.request.start', 'net.client.socket', 'process'])
  console.log(name, hasSubscribers(name));
for (const name of names) for (const part of ['start', 'end', 'error', 'asyncEnd'])
  subscribe('tracing:' + name + ':' + part, (data) => console.log(name, part, Object.keys(data), data.id ?? data.url, data.parentFilename ?? data.parentURL));
require('./part.cjs');
try { require('absent'); } catch {}
import('./part.mjs').then(() => import('absent')).catch(() => {});`,
      'part.mjs': `import 'node:fs';`,
      'part.cjs': `require('node:fs');`,
    },
    starts: [{ args: ['main.cjs'] }],
    shows: /worker_threads false/,
  },
  {
    title: 'performance entries',
    files: {
      'main.mjs': `
import { PerformanceObserver, performance } from 'node:perf_hooks';
console.log(performance.getEntries().map(({ name, entryType }) => [name, entryType]), Object.keys(performance.nodeTiming), PerformanceObserver.supportedEntryTypes);
const seen = [];
let isLast;
const last = new Promise((resolve) => { isLast = resolve; });
new PerformanceObserver((list) => {
  seen.push(...list.getEntries().map(({ name, entryType }) => [name, entryType]));
  if (seen.some(([name]) => name === 'last')) isLast();
}).observe({ entryTypes: ['function', 'mark', 'measure'] });
performance.mark('own');
await import('./part.mjs');
performance.mark('last');
await last;
console.log(seen);`,
      'part.mjs': 'export {};',
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /\[ 'own', 'mark' \]/,
  },
  {
    title: 'a server that closes leaves nothing that holds the process',
    files: {
      'main.mjs': `
import { createServer } from 'node:http';
const server = createServer(async (request, response) => { await import('./part.mjs'); response.end('answer'); server.close(); });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const answer = await fetch('http://127.0.0.1:' + server.address().port, { headers: { connection: 'close' } });
console.log(await answer.text());
process.on('beforeExit', () => console.log(process.getActiveResourcesInfo()));`,
      'part.mjs': 'export {};',
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /answer/,
  },
  {
    title: 'file system functions that a program replaces are not called by the loader',
    files: {
      'main.cjs': `
const fs = require('node:fs');
const counts = {};
let isOn = false;
for (const [name, value] of Object.entries(fs)) {
  if (typeof value !== 'function' || /^[A-Z_]/.test(name)) continue;
  fs[name] = Object.assign(function (...args) { if (isOn) counts[name] = (counts[name] ?? 0) + 1; return value.apply(this, args); }, value);
}
require('node:module').syncBuiltinESMExports();
(async () => {
  isOn = true;
  await import('./part.mjs');
  await import('absent').catch(() => {});
  require('./part.cjs');
  isOn = false;
  console.log(counts);
})();`,
      'part.mjs': `import 'node:fs';\nimport './other.mjs';`,
      'other.mjs': '',
      'part.cjs': `require('node:fs'); require('./data.json'); try { require('absent'); } catch {}`,
      'data.json': '{}',
    },
    starts: [{ args: ['main.cjs'] }],
    shows: /\{/,
  },
];
