/** Programs around module graphs: cycles, top-level await, order of evaluation, instances. */
import { askingModule, type Case, dependency } from './program.ts';

export const graphPrograms: Case[] = [
  {
    title: 'cycles: CommonJS sees what is exported so far, with a warning for more',
    files: {
      'main.cjs': `exports.a = 1; const b = require('./b.cjs'); console.log(b);`,
      'b.cjs': `const a = require('./main.cjs'); exports.seen = Object.keys(a); exports.absent = a.absent;`,
    },
    shows: 'non-existent property',
  },
  {
    title: 'cycles: ES modules see live bindings',
    files: {
      'main.mjs': `import { b, read } from './b.mjs'; export const a = 'a'; console.log(b, read());`,
      'b.mjs': `import { a } from './main.mjs'; export const b = 'b'; export const read = () => a;`,
    },
    shows: 'b a',
  },
  {
    title: 'cycles: a binding that is not there yet ends the program',
    files: {
      'main.mjs': `import './b.mjs'; export const a = 'a';`,
      'b.mjs': `import { a } from './main.mjs'; console.log(a);`,
    },
    shows: "Cannot access 'a' before initialization",
  },
  {
    title: 'cycles: an ES module, a script and back',
    files: {
      'main.mjs': `import b from './b.cjs'; export const a = 'a'; console.log(b);`,
      'b.cjs': `exports.b = 'b'; exports.a = import('./main.mjs').then(({ a }) => console.log('then', a));`,
    },
    shows: 'then a',
  },
  {
    title: 'cycles: a module that imports itself',
    files: {
      'main.mjs': `import * as self from './main.mjs'; export const a = 1; import('./main.mjs').then((same) => console.log(same === self, self.a));`,
    },
    shows: 'true',
  },
  {
    title: 'top-level await: order of siblings',
    files: {
      'main.mjs': `import './a.mjs'; import './b.mjs'; import './c.mjs'; console.log('main');`,
      'a.mjs': `console.log('a 1'); await 0; console.log('a 2');`,
      'b.mjs': `console.log('b 1'); await 0; await 0; console.log('b 2');`,
      'c.mjs': `console.log('c');`,
    },
    shows: 'a 1\nb 1\nc\na 2\nb 2\nmain',
  },
  {
    title: 'top-level await: one that never settles exits with 13',
    files: {
      'main.mjs': `console.log('before'); await new Promise(() => {}); console.log('never');`,
    },
    shows: 'before',
  },
  {
    title: 'top-level await: two modules that wait for each other',
    files: {
      'main.mjs': `console.log('main'); await import('./b.mjs');`,
      'b.mjs': `console.log('b'); await import('./main.mjs');`,
    },
    shows: 'b',
  },
  {
    title: 'order: of scripts, modules, imports, microtasks and timers',
    // On Node 20 the order follows the hooks thread.
    since: 22,
    files: {
      'main.mjs': `import './a.cjs'; import './b.mjs'; import 'ordered';
process.nextTick(() => console.log('tick')); Promise.resolve().then(() => console.log('micro')); setTimeout(() => console.log('timer')); setImmediate(() => console.log('immediate'));
import('./c.mjs').then(() => console.log('imported c')); import('./c.mjs').then(() => console.log('imported c again')); import('node:os').then(() => console.log('imported os')); console.error('main');`,
      'a.cjs': `console.log('a'); queueMicrotask(() => console.log('micro of a')); process.nextTick(() => console.log('tick of a'));`,
      'b.mjs': `console.log('b'); Promise.resolve().then(() => console.log('micro of b'));`,
      'c.mjs': `console.log('c');`,
      ...dependency(
        'ordered',
        {},
        {
          'index.js': `console.error('ordered'); import('node:path').then(() => console.log('path for ordered'));`,
        },
      ),
    },
    shows: 'imported c again',
  },
  {
    title: 'order: the number of turns that an import takes',
    files: {
      'main.cjs': `let turns = 0, stopped = false; const count = () => { if (!stopped) { turns += 1; Promise.resolve().then(count); } };
(async () => { for (const name of ['node:fs', './a.mjs', './a.mjs', './b.cjs', './absent.mjs', 'absent-package', 'node:absent']) { turns = 0; stopped = false; count(); await import(name).catch(() => {}); stopped = true; console.log(name, turns > 0); await new Promise(setImmediate); } })();`,
      'a.mjs': '',
      'b.cjs': '',
    },
    shows: 'true',
    // Earlier versions read a module asynchronously, and this program never pauses.
    since: 24,
  },
  {
    title: 'instances: queries and hashes make new ones, paths to one file do not',
    files: {
      'main.mjs': `for (const name of ['./a.mjs', './a.mjs?1', './a.mjs?2', './a.mjs#1', './././a.mjs', './b/../a.mjs', './%61.mjs', new URL('a.mjs', import.meta.url).href, new URL('a.mjs', import.meta.url).pathname]) { console.log(name, (await import(name)).n); }`,
      'a.mjs': `globalThis.n = (globalThis.n ?? 0) + 1; export const { n } = globalThis; console.log(import.meta.url.split('/').pop());`,
    },
    shows: './%61.mjs',
  },
  {
    title: 'instances: a script that is imported and required runs once',
    files: {
      'main.mjs': askingModule(
        `require('./a.cjs')`,
        `import('./a.cjs')`,
        `import('./a.cjs?1')`,
        `delete require.cache[require.resolve('./a.cjs')]`,
        `require('./a.cjs')`,
        `import('./a.cjs')`,
      ),
      'a.cjs': `globalThis.n = (globalThis.n ?? 0) + 1; module.exports = globalThis.n;`,
    },
    shows: "import('./a.cjs?1')",
  },
  {
    title: 'a module that throws is not evaluated again; a script is',
    files: {
      'main.mjs': askingModule(
        `import('./a.mjs')`,
        `import('./a.mjs')`,
        `import('./b.cjs')`,
        `require('./b.cjs')`,
        `require('./b.cjs')`,
      ),
      'a.mjs': `console.log('a'); throw new TypeError('a');`,
      'b.cjs': `console.log('b'); throw { not: 'an error' };`,
    },
    shows: 'not',
  },
  {
    title: 'a failed import and a failed require are tried again once the file is there',
    files: {
      'main.mjs': `import fs from 'node:fs'; import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
const at = (name) => new URL('later/' + name, import.meta.url); const remove = () => fs.rmSync(at('.'), { recursive: true, force: true });
const ask = async (run) => { try { return (await run()).default; } catch ({ code }) { return code; } };
const askAll = async () => console.log(await ask(() => import('./later/a.mjs')), await ask(() => require('./later/b.cjs')), await ask(() => import('./later/in.mjs')), await ask(() => require('./later/in.cjs')));
remove(); await askAll(); fs.mkdirSync(at('node_modules/deep'), { recursive: true }); fs.writeFileSync(at('in.mjs'), 'export { default } from "deep";'); fs.writeFileSync(at('in.cjs'), 'module.exports = require("deep");'); await askAll();
fs.writeFileSync(at('a.mjs'), 'export default "a";'); fs.writeFileSync(at('b.cjs'), 'exports.default = "b";'); fs.writeFileSync(at('node_modules/deep/index.js'), 'exports.default = "deep";'); await askAll(); remove();`,
    },
    shows: 'ERR_MODULE_NOT_FOUND',
  },
];
