/** Programs that look at modules: their objects, caches, hooks and contexts. */
import { hasSyncHooks, MODES, type Program } from '../../support/conformance.ts';

/** Prints what a CommonJS module can see of the loader. */
const LOOK = `
const Module = require('node:module');
const show = (module) => module && Object.fromEntries(Object.keys(module).map((key) => [key, key === 'exports' || key === 'parent' ? undefined : key === 'children' ? module.children.map(({ id }) => id) : module[key]]));
console.log(__filename, show(module), show(module.parent), require.main === module, show(require.main), module.isPreloading, module.constructor === Module);
console.log(Object.keys(require.cache), Object.keys(require.extensions), Object.keys(require), Object.keys(Module._pathCache), Module.globalPaths, this === exports, arguments.length, new.target);
`;

export const programs: readonly Program[] = [
  {
    title: 'module, require and main of a CommonJS program and of what it loads',
    files: {
      'main.cjs': `${LOOK}require('./part.cjs'); require('./directory'); import('./part.mjs').then(() => console.log(Object.keys(require.cache), Object.keys(Module._pathCache)));`,
      'part.cjs': LOOK,
      'part.mjs': `import './imported.cjs'; import { createRequire } from 'node:module'; createRequire(import.meta.url)('./required.mjs');`,
      'required.mjs': `import './other.cjs';`,
      'imported.cjs': LOOK,
      'other.cjs': LOOK,
      'directory/index.js': LOOK,
      'directory/package.json': '{ "main": "index" }',
    },
    starts: [{ args: ['--no-warnings', 'main.cjs'] }],
    shows: /required\.mjs/,
    modes: MODES,
  },
  {
    title: 'module, require and main of CommonJS below an ES module',
    files: {
      'main.mjs': `
import './part.cjs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
console.log(require.main, Object.keys(require.cache), require('./other.cjs'), this, typeof module);`,
      'part.cjs': `${LOOK}require('./other.cjs');`,
      'other.cjs': LOOK,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /part\.cjs/,
  },
  {
    title: 'import.meta of the main, of an imported module and of --eval',
    files: {
      'main.mjs': `import './part.mjs?query#hash';\n${'console.log(import.meta, Object.getOwnPropertyDescriptors(import.meta), import.meta.resolve("./x"), import.meta.resolve("node:fs"), import.meta.resolve.length);'}`,
      'part.mjs': `console.log(import.meta, Object.keys(import.meta), import.meta.resolve.name);\ntry { import.meta.resolve('absent'); } catch ({ message }) { console.log(message); }`,
    },
    starts: [
      { args: ['main.mjs'] },
      { args: ['--input-type=module', '--eval', 'console.log(import.meta, new Error().stack)'] },
    ],
    shows: /hash/,
  },
  {
    title: 'a module that is removed from the cache, or imported by another query, runs again',
    files: {
      'main.cjs': `
const first = require('./part.cjs');
delete require.cache[require.resolve('./part.cjs')];
console.log(first === require('./part.cjs'), module.children.map(({ id }) => id), globalThis.runs);
require.cache[require.resolve('./fake.js')] = { exports: 'fake', loaded: true };
console.log(require('./fake.js'));
(async () => {
  const all = await Promise.all(['./part.mjs', './part.mjs?1', './part.mjs#1', './part.mjs'].map((one) => import(one)));
  console.log(all.map((one) => all.indexOf(one)), globalThis.runs, all[1]);
})();`,
      'part.cjs': `globalThis.runs = (globalThis.runs ?? 0) + 1; exports.part = 1;`,
      'fake.js': '',
      'part.mjs': `globalThis.runs = (globalThis.runs ?? 0) + 1; export const url = import.meta.url;`,
    },
    starts: [{ args: ['main.cjs'] }],
    shows: /fake/,
  },
  {
    title: 'extensions of require that a program adds and replaces',
    files: {
      'main.cjs': `
const js = require.extensions['.js'];
require.extensions['.txt'] = (module, file) => { module.exports = file + ' ' + require('node:fs').readFileSync(file, 'utf8'); };
require.extensions['.js'] = function (module, file) { console.log(arguments.length, file, new Error().stack.split('\\n').length); return js.call(this, module, file); };
console.log(require('./part'), require('./code'));
delete require.extensions['.txt'];
try { require('./part'); } catch ({ message }) { console.log(message); }`,
      'part.txt': 'text',
      'code.js': 'module.exports = __filename;',
    },
    starts: [{ args: ['main.cjs'] }],
    shows: /part\.txt text/,
  },
  {
    title: 'calls of the loader that a program records by replacing functions of Module',
    files: {
      'main.cjs': `
const Module = require('node:module');
const show = (value) => typeof value === 'string' ? value.slice(0, 60) : value?.id ?? '';
for (const [owner, name] of [[Module, '_load'], [Module, '_resolveFilename'], [Module, '_findPath'], [Module, '_nodeModulePaths'], [Module, '_resolveLookupPaths'],
  [Module, 'wrap'], [Module.prototype, 'require'], [Module.prototype, 'load'], [Module.prototype, '_compile'], [Module._extensions, '.js'], [Module._extensions, '.json']]) {
  const original = owner[name];
  owner[name] = function (...args) { console.log(name, args.length, show(this), args.map(show), new Error().stack.split('\\n').length); return original.apply(this, args); };
}
require('./part.cjs');
try { require('absent'); } catch {}
try { require.resolve('absent', { paths: ['/'] }); } catch {}
import('./part.mjs').then(() => import('./last.cjs'));`,
      'part.cjs': `require('./data.json'); require('node:fs'); require('fs');`,
      'data.json': '{}',
      'part.mjs': `import './other.cjs';\nimport { createRequire } from 'node:module';\ncreateRequire(import.meta.url)('./part.cjs');`,
      'other.cjs': `require('./part.cjs');`,
      'last.cjs': '',
    },
    starts: [{ args: ['main.cjs'] }],
    runsOn: hasSyncHooks,
    shows: /_resolveFilename/,
  },
  {
    title: 'calls of asynchronous hooks that a program registers',
    files: {
      'main.mjs': `
import { register } from 'node:module';
register('./hooks.mjs', import.meta.url, { data: 'data' });
await import('./part.mjs');
await import('absent').catch(({ code }) => console.log(code));
console.log(import.meta.resolve('./part.mjs'));`,
      'hooks.mjs': `
import { writeSync } from 'node:fs';
// By the flag, the hooks see first how the preload itself is loaded.
let isOn = false;
const log = (...args) => { const line = JSON.stringify(args); isOn ||= line.includes('part.mjs'); if (isOn) writeSync(1, line + '\\n'); };
export const initialize = (data) => writeSync(1, JSON.stringify(['initialize', data, globalThis.fetch !== undefined, process.execArgv]) + '\\n');
export const resolve = async (specifier, context, next) => { log('resolve', specifier, context, next.length); const result = await next(specifier); log('resolved', result); return result; };
export const load = async (url, context, next) => { log('load', url, context, next.length); const result = await next(url); log('loaded', { ...result, source: String(result.source) }); return result; };`,
      'part.mjs': `import './part.cjs';\nimport 'node:dgram';`,
      'part.cjs': `require('./other.cjs');`,
      'other.cjs': '',
    },
    starts: [
      { args: ['--no-warnings', 'main.mjs'] },
      { args: ['--no-warnings', '--experimental-loader', './hooks.mjs', 'part.mjs'] },
    ],
    shows: /resolved/,
  },
  {
    title: 'calls of synchronous hooks that a program registers, and frames of their stack',
    files: {
      'main.mjs': `
import { createRequire, registerHooks } from 'node:module';
const log = (...args) => console.log(JSON.stringify(args), new Error().stack.split('\\n').filter((line) => !line.includes('node:internal')).length);
const hooks = registerHooks({
  resolve(specifier, context, next) { log('resolve', specifier, context, next.length, next.name, this === undefined); const result = next(specifier, context); log('resolved', result); return result; },
  load(url, context, next) { log('load', url, context, next.length, next.name); const result = next(url, context); log('loaded', { ...result, source: String(result.source) }); return result; },
});
await import('./part.mjs');
createRequire(import.meta.url)('./required.cjs');
await import('absent').catch(({ code }) => console.log(code));
console.log(Object.keys(hooks));
hooks.deregister();
await import('./last.mjs');`,
      'part.mjs': `import './part.cjs';\nimport 'node:dgram';\nimport data from './data.json' with { type: 'json' };`,
      'part.cjs': `require('./other.cjs'); require('node:os');`,
      'required.cjs': `require('./data.json'); require('./other.mjs');`,
      'other.cjs': '',
      'other.mjs': 'export {};',
      'last.mjs': '',
      'data.json': '{}',
    },
    starts: [{ args: ['--no-warnings', 'main.mjs'] }],
    shows: /resolved/,
    runsOn: ({ major }) => major >= 22,
  },
  {
    title: 'interfaces of node:module',
    files: {
      'main.mjs': `
import * as all from 'node:module';
import { builtinModules, createRequire, isBuiltin, syncBuiltinESMExports } from 'node:module';
console.log(Object.keys(all), builtinModules.length, all.constants);
const require = createRequire(new URL('./sub/', import.meta.url));
console.log(require.resolve.paths('x'), require.resolve('./part.cjs'), require('./part.cjs'), require.main, isBuiltin('fs'));
console.log(all.findPackageJSON?.('./main.mjs', import.meta.url), all.findSourceMap?.('x'), all.getCompileCacheDir?.());
try { createRequire('relative'); } catch ({ code, message }) { console.log(code, message); }
syncBuiltinESMExports();`,
      'sub/part.cjs': `module.exports = [module.id, module.parent.id, module.paths];`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /sub\/part\.cjs/,
  },
];
