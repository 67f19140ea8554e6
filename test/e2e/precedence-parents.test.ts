/** The result depends on the importing file: the core, its packages, importers, and other files. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, dualPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import {
  type Answer,
  type Answers,
  type Form,
  forms,
  keyOf,
  loading,
  writeProbe,
} from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { plantShadows, SHADOW } from '../support/shadow.ts';

/**
 * `as Node`: equal to the byte; `missing`: Node's error with a cause; `hidden`: the error of the
 * core root's copy; else the marker that is loaded.
 */
type Expected = 'as Node' | 'missing' | 'hidden' | 'store' | 'core';

const inStore = ['thing', '@acme/thing', 'nested', 'self-ref', 'self-plain', 'self-outer'];
const names = [...inStore, 'rooted', 'missing'];

const rows: [from: string, expected: Partial<Record<Expected, string[]>>][] = [
  ['app', { store: inStore, core: ['rooted'], missing: ['missing', 'missing/sub'] }],
  ['app/src/deep', { store: ['thing', '@acme/thing'], missing: ['missing'] }],
  // Shipped packages use installed features.
  ['app/node_modules/dep', { store: ['thing', 'nested'], missing: ['missing'] }],
  ['app/node_modules/@core/dep/lib', { store: ['@acme/thing'], missing: ['missing'] }],
  ['linked/lib', { store: ['thing'], missing: ['missing'] }],
  // A nested copy is used only by its own package.
  ['app/node_modules/a', { core: ['nested'], store: ['thing'], 'as Node': ['nested/sub'] }],
  ['app/node_modules/a/node_modules/b', { core: ['nested'], 'as Node': ['nested/sub'] }],
  ['app/packages/web', { core: ['thing'], store: ['nested'], 'as Node': ['thing/sub'] }],
  // A package of the core with the same name.
  ['app/packages/self', { core: ['self-ref'], store: ['thing'], 'as Node': ['self-ref/hidden'] }],
  ['app/packages/self/dist', { 'as Node': ['self-ref', 'self-ref/hidden'], store: ['thing'] }],
  ['app/packages/plain', { 'as Node': ['self-plain', 'self-plain/sub'], store: ['thing'] }],
  ['app/packages/outer/inner', { store: ['self-outer', 'thing'] }],
  // An unreadable scope may have any name.
  ['app/packages/broken', { 'as Node': ['thing', 'missing'] }],
  ['app/packages/null', { 'as Node': ['thing', 'missing'] }],
  ['app/packages/array', { store: ['thing'], missing: ['missing'] }],
  // Importers resolve from the core root, then from the store.
  [
    'plugins',
    {
      core: ['rooted'],
      store: ['thing'],
      missing: ['missing'],
      'as Node': ['dep'],
      hidden: ['rooted/sub'],
    },
  ],
  ['plugins/one/node_modules/own', { core: ['rooted'], store: ['thing'], missing: ['missing'] }],
  ['plugins/two', { 'as Node': ['rooted', 'rooted/sub', 'thing'] }],
  ['real-plugins', { core: ['rooted'], store: ['thing'], missing: ['missing'] }],
  ['app/node_modules/importer', { core: ['rooted'], store: ['thing'], missing: ['missing'] }],
  // All other files get Node's result.
  ['outside', { 'as Node': names }],
  ['outside/node_modules/dep', { 'as Node': names }],
  ['app-other', { 'as Node': ['thing', 'rooted', 'missing'] }],
  ['plugins-other', { 'as Node': ['thing', 'rooted', 'missing'] }],
  ['home', { 'as Node': ['missing', 'undeclared'] }],
  ['volume', { 'as Node': ['missing', 'undeclared'] }],
];
const questions = rows.flatMap(([from, expected]) =>
  Object.values(expected).flatMap((all) => all.map((specifier) => ({ from, specifier }))),
);

let sandbox: Sandbox;
let probe: ReturnType<typeof writeProbe>;

function link(target: string, path: string): void {
  mkdirSync(join(path, '..'), { recursive: true });
  symlinkSync(target, path);
}

function plantCore(): void {
  const { core, root } = sandbox;
  const features = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
  const importers = [join(root, 'plugins'), join(root, 'linked-plugins'), 'importer'];
  sandbox.setCore({ features: { ...features, decoy: '*' }, importers });
  const ship = (path: string, name: string) =>
    sandbox.addPackage(path, dualPackage(name, '1.0.0', 'core'));
  for (const name of ['rooted', 'dep', '@core/dep', 'a', 'importer'])
    ship('app/node_modules', name);
  ship('app/node_modules/a/node_modules', 'nested');
  ship('app/node_modules/a/node_modules', 'b');
  ship('app/packages/web/node_modules', 'thing');
  ship('linked', 'lib');
  link(join(root, 'linked/lib'), join(core, 'node_modules/lib'));
  link(join(root, 'real-plugins'), join(root, 'linked-plugins'));
  mkdirSync(join(root, 'real-plugins'));
  // An importer with its own broken copy.
  for (const name of ['rooted', 'thing']) {
    sandbox.write(`plugins/two/node_modules/${name}/package.json`, { main: './gone.js' });
  }
}

function plantScopes(): void {
  const exports = { '.': './voice.mjs' };
  sandbox.write('app/packages/self/core.mjs', `export const marker = 'core';`);
  const self = { name: 'self-ref', exports: { '.': './core.mjs' } };
  sandbox.write('app/packages/self/package.json', self);
  sandbox.write('app/packages/self/dist/package.json', { type: 'module' });
  sandbox.write('app/packages/plain/package.json', { name: 'self-plain' });
  sandbox.write('app/packages/outer/package.json', { name: 'self-outer', exports });
  sandbox.write('app/packages/outer/inner/package.json', { name: 'inner' });
  sandbox.write('app/packages/broken/package.json', '{ "name": ');
  sandbox.write('app/packages/null/package.json', 'null');
  sandbox.write('app/packages/array/package.json', '[]');
}

beforeAll(async () => {
  sandbox = await createSandbox();
  plantCore();
  plantScopes();
  plantShadows(sandbox, ['missing'], { hasEntry: false, claim: 'thing' });
  for (const name of [...inStore, 'rooted']) {
    const marker = name === 'rooted' ? `${SHADOW} store` : 'store';
    const packages = [dualPackage(name, '1.5.0', marker)] as const;
    sandbox.plantEntry({ feature: name, packages, specs: { [name]: '^1.0.0' } });
  }
  sandbox.addPackage('home/node_modules', cjsPackage('thing', '1.0.0', SHADOW));
  probe = writeProbe(sandbox, questions);
});

/** The expected and the actual part of an answer. */
function describeAnswer(answer: Answer, alone: Answer, form: Form, expected: Expected) {
  if (expected === 'as Node') return { is: answer, shall: alone };
  if (expected === 'missing') {
    const codes = [answer.error?.code, answer.error?.cause?.code];
    return { is: codes, shall: [alone.error?.code, 'ANNEX_DENIED'] };
  }
  if (expected === 'hidden') {
    return { is: answer.error?.code, shall: 'ERR_PACKAGE_PATH_NOT_EXPORTED' };
  }
  if (loading.includes(form)) return { is: answer.marker, shall: expected };
  const place = expected === 'store' ? '/volume/annex/v1/any/' : '/app/';
  return { is: answer.path, shall: expect.stringContaining(place) };
}

describe.each(nodes)('$label', (node) => {
  let alone: Answers;
  let answers: Answers;
  beforeAll(async () => {
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    alone = await probe.run({ node: node.path });
    answers = await probe.run({ node: node.path, flags: ['--import', sandbox.loader], env });
  });

  test.each(rows)('a file in %s', (from, expected) => {
    const asked = Object.entries(expected) as [Expected, string[]][];
    for (const [kind, specifier] of asked.flatMap(([one, all]) =>
      all.map((it) => [one, it] as const),
    )) {
      for (const form of forms) {
        const key = keyOf(from, form, specifier);
        const { is, shall } = describeAnswer(answers[key] ?? {}, alone[key] ?? {}, form, kind);
        expect.soft(is, key).toEqual(shall);
      }
    }
  });
});
