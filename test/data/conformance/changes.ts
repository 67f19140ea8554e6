/** Programs that change how Node resolves and loads: caches, extensions, patched functions, hooks. */
import { ALL } from './all.ts';
import type { Case } from './program.ts';

const plain = (title: string, shows: string, text: string, name = 'main.cjs'): Case => ({
  title,
  shows,
  files: { [name]: text, ...ALL },
});

export const changePrograms: Case[] = [
  plain(
    'internals: names and keys of Module',
    'Module',
    `const Module = require('node:module'); console.log(Object.keys(Module), Object.keys(Module.prototype), Reflect.ownKeys(module)); for (const key of Object.keys(Module)) console.log(key, typeof Module[key], Module[key]?.length);`,
  ),
  plain(
    'changes: replaced built-in functions are called as often as by Node alone',
    'counted',
    `const { apply, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect; const { iterator } = Symbol; const { log } = console;
const owners = [Array, Array.prototype, JSON, Map.prototype, Number, Object, Promise.prototype, RegExp.prototype, Set.prototype, String, String.prototype, Symbol.prototype, URL.prototype, WeakMap.prototype, ...[[][iterator](), new Map().keys(), new Set().keys(), ''[iterator]()].map((one) => getPrototypeOf(one))];
let counts; const names = [];
for (let at = 0; at < owners.length; at++) for (const key of ownKeys(owners[at])) {
  const descriptor = getOwnPropertyDescriptor(owners[at], key);
  if (typeof descriptor.value !== 'function' || key === 'constructor' || !descriptor.configurable) continue;
  const { value } = descriptor; const id = names.push(at + ' ' + String(key)) - 1;
  Object.defineProperty(owners[at], key, { ...descriptor, value: function (...args) { if (counts) counts[id] = (counts[id] ?? 0) + 1; return apply(value, this, args); } });
}
const resolve = (name, options) => { try { return require.resolve(name, options); } catch (error) { return error.code; } };
const load = (name) => { try { return require(name); } catch (error) { return error.code; } };
counts = {}; const found = [load('absent'), load('inner'), load('./x.cjs'), load('@scope/absent'), resolve('absent'), resolve('absent', { paths: ['/', __dirname] }), load(__dirname + '/v1/x.cjs')]; let seen = counts; counts = undefined;
const print = () => { for (const id in seen) log(names[id], seen[id]); };
log('counted', found); print();
counts = {}; const promise = import('absent'); seen = counts; counts = undefined; print(); promise.catch((error) => log(error.code));`,
  ),
  plain(
    'changes: module.paths of the program are searched',
    'nested',
    `module.paths.unshift(__dirname + '/lib/node_modules'); console.log(require('nested'), require.resolve('nested').length > 0); module.paths.length = 0; try { require('inner'); } catch (error) { console.log(error.stack); }`,
  ),
  plain(
    'changes: an entry of require.cache is used, and a deleted one is loaded again',
    'replaced',
    `const file = require.resolve('./x.cjs'); require(file); require.cache[file].exports = 'replaced'; console.log(require('./x.cjs')); delete require.cache[file]; console.log(require('./x.cjs')); require.cache[__dirname + '/made-up.js'] = { exports: 'made up', loaded: true }; try { console.log(require('./made-up.js')); } catch (error) { console.log(error.code); }`,
  ),
  plain(
    'changes: require.extensions of the program are used',
    'extended',
    `require.extensions['.odd'] = (module, file) => { module.exports = 'extended'; }; require('fs').writeFileSync(__dirname + '/file.odd', 'x'); console.log(require('./file.odd'), require('./file')); require('fs').unlinkSync(__dirname + '/file.odd'); const js = require.extensions['.js']; require.extensions['.js'] = (...args) => { console.log('js', args[1].split('/').pop()); return js(...args); }; console.log(require('plain'));`,
  ),
  plain(
    'changes: a patched _resolveFilename sees every request, and its error is the program’s',
    'asked ./x.cjs',
    `const Module = require('node:module'); const original = Module._resolveFilename; Module._resolveFilename = function (request, ...rest) { console.log('asked', request, rest.length); if (request === 'virtual') return __dirname + '/x.cjs'; return original.call(this, request, ...rest); }; console.log(require('./x.cjs'), require('virtual'), require('inner')); try { require('no-such-package'); } catch (error) { console.log(error.stack); } Module._resolveFilename = original; console.log(require('plain'));`,
  ),
  {
    ...plain(
      'changes: a hook that removes the conditions, or replaces them by something else',
      'undefined file',
      `const Module = require('node:module'); const show = async (value) => { const hooks = Module.registerHooks({ resolve: (specifier, context, next) => { context.conditions = value; return next(specifier, context); } }); for (const name of ['inner', 'absent']) { try { require(name); console.log(value, 'file', name); } catch (error) { console.log(value, error.code); } try { await import(name); console.log(value, 'file', name); } catch (error) { console.log(value, error.code); } } hooks.deregister(); };
(async () => { for (const value of [undefined, [], 'text', null, 1]) await show(value); })();`,
    ),
    since: 22,
  },
  plain(
    'changes: a patched _load sees every request',
    'load inner',
    `const Module = require('node:module'); const original = Module._load; Module._load = function (request, parent, isMain) { console.log('load', request, parent?.id === module.id, isMain); return original.apply(this, arguments); }; console.log(require('inner'), require('fs') === require('node:fs')); import('./x.cjs').then((all) => console.log(all.default));`,
  ),
  plain(
    'changes: a patched Module.prototype.require sees every request',
    'require inner',
    `const Module = require('node:module'); const original = Module.prototype.require; Module.prototype.require = function (id) { console.log('require', id); return original.call(this, id); }; console.log(require('inner')); require('./lib/y.cjs');`,
  ),
  plain(
    'changes: a patched Module.prototype._compile sees every script',
    'compile x.cjs',
    `const Module = require('node:module'); const original = Module.prototype._compile; Module.prototype._compile = function (text, file, ...rest) { console.log('compile', file.split('/').pop(), rest.length); return original.call(this, text + ';module.exports += "!"', file, ...rest); }; console.log(require('./x.cjs')); import('./lib/y.cjs').then((all) => console.log(all.default));`,
  ),
  plain(
    'changes: Module.wrap and Module.wrapper of the program are used',
    'wrapped',
    `const Module = require('node:module'); Module.wrapper[0] += 'console.log("wrapped", __filename.split("/").pop());'; console.log(require('./x.cjs'));`,
  ),
  plain(
    'changes: a module made by hand',
    'by hand',
    `const Module = require('node:module'); const made = new Module('made', module); made.filename = __dirname + '/lib/made.cjs'; made.paths = Module._nodeModulePaths(__dirname + '/lib'); made._compile('module.exports = ["by hand", require("nested"), require("./y.cjs")]', made.filename); console.log(made.exports, made.children.length); const empty = new Module(); console.log(empty.id, empty.paths, empty.filename); try { empty.require('inner'); } catch (error) { console.log(error.stack); } try { empty._compile('require("./x.cjs")', 'x'); } catch (error) { console.log(error.stack); }`,
  ),
  {
    ...plain(
      'hooks: those that the program registers see every request once',
      'resolve ./x.mjs',
      `import Module from 'node:module'; import { tell } from 'tell';
const hooks = Module.registerHooks?.({ resolve(specifier, context, next) { console.log('resolve', specifier, [...context.conditions].join(), Object.keys(context).join()); if (specifier === 'virtual') return { url: 'virtual:it', format: 'module', shortCircuit: true }; return next(specifier, context); }, load(url, context, next) { console.log('load', url.split('/').pop(), context.format, Object.keys(context).join()); if (url === 'virtual:it') return { source: 'export default "virtual"', format: 'module', shortCircuit: true }; return next(url, context); } });
const require = Module.createRequire(import.meta.url);
for (const run of [() => import('./x.mjs'), () => import('virtual'), () => require('./x.cjs'), () => require('inner'), () => import('inner'), () => require('no-such-package'), () => import('no-such-package'), () => import.meta.resolve('inner'), () => require.resolve('plain'), () => import('node:fs').then(() => 'fs')]) await tell(String(run), run);
hooks?.deregister(); await tell('after', () => import('./x.mjs?after'));`,
      'main.mjs',
    ),
    since: 22,
  },
  {
    ...plain(
      'hooks: what they return wrongly is Node’s error',
      'ERR_INVALID_RETURN_PROPERTY_VALUE',
      `import Module from 'node:module'; import { tell } from 'tell';
const bad = { 'bad:null': null, 'bad:number': 5, 'bad:url': { url: 5, shortCircuit: true }, 'bad:format': { url: 'file:///x.mjs', format: 5, shortCircuit: true }, 'bad:chain': { url: 'file:///x.mjs' } };
Module.registerHooks({ resolve: (specifier, context, next) => specifier in bad ? bad[specifier] : next(specifier, context) });
for (const name of Object.keys(bad)) await tell(name, () => import(name)); await tell('throwing', () => { Module.registerHooks({ resolve() { throw new RangeError('mine'); } }); return import('./x.mjs'); });`,
      'main.mjs',
    ),
    since: 22,
  },
  {
    ...plain(
      'hooks: those of module.register see every request',
      'resolve ./x.mjs',
      `import { register } from 'node:module'; import { writeSync } from 'node:fs'; register('./hooks.mjs', import.meta.url); const { default: x } = await import('./x.mjs'); const { default: inner } = await import('inner'); console.log(x, inner); await import('no-such-package').catch((error) => console.log(error.code, error.message)); console.log((await import('virtual')).default);`,
      'main.mjs',
    ),
    files: {
      'main.mjs': `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url); const { default: x } = await import('./x.mjs'); const { default: inner } = await import('inner'); console.log(x, inner); await import('no-such-package').catch((error) => console.log(error.code, error.message)); console.log((await import('virtual')).default);`,
      'hooks.mjs': `import { writeSync } from 'node:fs'; export const resolve = async (specifier, context, next) => { writeSync(1, 'resolve ' + specifier + '\\n'); return specifier === 'virtual' ? { url: 'data:text/javascript,export default 1', shortCircuit: true } : next(specifier, context); };`,
      ...ALL,
    },
  },
];
