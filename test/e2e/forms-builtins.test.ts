/** A program that replaces built-in functions of JavaScript and Node loads its modules as without annex. */
import { beforeAll, describe, expect, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/**
 * Replaces one built-in function after the other by one that throws, and asks meanwhile for modules that
 * have nothing to do with annex. Tells how many functions it replaced, and which answers were not the
 * usual ones: Node itself needs some of these functions.
 */
const PROGRAM = `
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import url from 'node:url';
const require = createRequire(import.meta.url);
const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { href } = new URL('.', import.meta.url);
const holders = {
  'Object.': Object, 'Array.': Array, 'Number.': Number, 'String.': String, 'URL.': URL, 'Buffer.': Buffer,
  Reflect, JSON, Math, process, performance, fs, path, url,
  Iterator: getPrototypeOf(getPrototypeOf([][Symbol.iterator]())),
  'Array Iterator': getPrototypeOf([][Symbol.iterator]()),
  'Map Iterator': getPrototypeOf(new Map().entries()),
  'Set Iterator': getPrototypeOf(new Set().values()),
  'String Iterator': getPrototypeOf(''[Symbol.iterator]()),
  Generator: getPrototypeOf(getPrototypeOf((function* () {})())),
};
for (const holder of [
  Object, Function, Array, String, Number, RegExp, Map, Set, WeakMap, Error, Uint8Array, Buffer, URL,
]) holders[holder.name] = holder.prototype;

const attempt = (ask) => {
  try { return { value: ask() }; } catch (error) { return { error }; }
};
const attemptImport = async (specifier) => {
  try { return { value: (await import(specifier)).default }; } catch (error) { return { error }; }
};
// What Node itself could not do because of a function that it needs.
process.on('unhandledRejection', () => {});
let count = 0;
const seen = {};
for (const label of ownKeys(holders)) {
  const holder = holders[label];
  for (const key of ownKeys(holder)) {
    const descriptor = getOwnPropertyDescriptor(holder, key);
    if (!descriptor.configurable || typeof descriptor.value !== 'function' || key === 'constructor') continue;
    const [module, script] = ['module-' + ++count + '.mjs', 'script-' + count + '.cjs'];
    fs.writeFileSync(new URL(module, href), 'export default "imported"');
    fs.writeFileSync(new URL(script, href), 'module.exports = "required"');
    const answers = {};
    defineProperty(holder, key, { ...descriptor, value() { throw 'replaced'; } });
    try {
      answers.required = attempt(() => require('./' + script));
      answers.resolved = attempt(() => require.resolve('./' + script).slice(-4));
      answers.builtin = attempt(() => typeof require('node:path'));
      answers.absent = attempt(() => require('absent-' + count));
      answers.asked = attempt(() => typeof import.meta.resolve('./' + module));
      answers.imported = await attemptImport('./' + module);
      answers.query = await attemptImport('./' + module + '?query');
      answers.absentImported = await attemptImport('absent-' + count);
    } finally {
      defineProperty(holder, key, descriptor);
    }
    const shown = Object.entries(answers).map(([name, { value, error }]) =>
      [name, value ?? error?.code ?? String(error?.message ?? error)].join(': ')).join(', ');
    if (shown !== USUAL) seen[label + ' ' + String(key)] = shown;
  }
}
console.log(JSON.stringify({ count, seen }));
`;

/** Hooks that change nothing: Node needs more functions to run hooks at all. */
const INERT = `
import Module from 'node:module';
const text = 'export const resolve = (specifier, context, next) => next(specifier, context);';
if (Module.registerHooks === undefined) Module.register('data:text/javascript,' + encodeURI(text));
else Module.registerHooks({ resolve: (specifier, context, next) => next(specifier, context) });`;

const USUAL = [
  'required: required',
  'resolved: .cjs',
  'builtin: object',
  'absent: MODULE_NOT_FOUND',
  'asked: string',
  'imported: imported',
  'query: imported',
  'absentImported: ERR_MODULE_NOT_FOUND',
].join(', ');

describe.each(nodes)('$label', ({ path: node }) => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await createSandbox();
    sandbox.setCore({ features: { 'some-feature': '*' } });
    sandbox.write('app/main.mjs', `const USUAL = ${JSON.stringify(USUAL)};\n${PROGRAM}`);
  });

  test('with any built-in function replaced, the answers are those of Node with no-op hooks', async () => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    sandbox.write('app/inert.mjs', INERT);
    // Node warns of files that it could not close without a function that it needs.
    const run = (loader: string) =>
      sandbox.run(['--no-warnings', '--import', loader, 'main.mjs'], { node, env });
    const plain = await run('./inert.mjs');
    const served = await run(sandbox.loader);
    for (const ended of [plain, served]) expect(ended).toMatchObject({ code: 0, stderr: '' });
    const [expected, seen] = [plain, served].map(({ stdout }) => JSON.parse(stdout) as object);
    expect(seen).toEqual(expected);
    expect((expected as { count: number }).count).toBeGreaterThan(500);
  });
});
