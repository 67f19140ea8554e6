/** The owner of a package name as seen from a directory: read from the file system, never from error codes. */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findOwner } from '../../../src/app/core.ts';
import { createSandbox, type Sandbox } from '../../support/sandbox.ts';
import { callAsPlainUser } from '../../support/user.ts';

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = await createSandbox({ linkAnnex: false });
});
afterEach(() => sandbox.cleanup());

/** The owner of a name as seen from a directory of the sandbox; as a path in it. */
function ownerOf(name: string, from = 'app', globals: string[] = []): string | undefined {
  const absolute = globals.map((dir) => join(sandbox.root, dir));
  const owner = findOwner(name, join(sandbox.root, from), absolute);
  return owner?.slice(sandbox.root.length + 1);
}

function makeLink(path: string, target: string): void {
  mkdirSync(dirname(join(sandbox.root, path)), { recursive: true });
  symlinkSync(target, join(sandbox.root, path));
}

test('an absent package has no owner', () => {
  expect(ownerOf('exa-js')).toBeUndefined();
  expect(ownerOf('@mendable/firecrawl-js')).toBeUndefined();
});

test.each([
  ['a package', 'app/node_modules/exa-js/package.json'],
  ['an empty package', 'app/node_modules/exa-js/.keep'],
  ['a file without a suffix', 'app/node_modules/exa-js'],
  ['a .js file', 'app/node_modules/exa-js.js'],
  ['a .json file', 'app/node_modules/exa-js.json'],
  ['an addon', 'app/node_modules/exa-js.node'],
])('%s owns the name', (_what, path) => {
  sandbox.write(path, '');
  expect(ownerOf('exa-js')).toBeDefined();
  expect(ownerOf('exa-js', 'app/src/deep')).toBeDefined();
});

test.each([
  ['another suffix', 'app/node_modules/exa-js.mjs'],
  ['a longer name', 'app/node_modules/exa-js-other/package.json'],
  ['the same name in a scope', 'app/node_modules/@scope/exa-js/package.json'],
  ['a copy below', 'app/src/node_modules/exa-js/package.json'],
  ['a copy of another package', 'app/node_modules/dep/node_modules/exa-js/package.json'],
  ['a copy beside', 'other/node_modules/exa-js/package.json'],
])('%s does not own the name', (_what, path) => {
  sandbox.write(path, '{}');
  expect(ownerOf('exa-js')).toBeUndefined();
});

test('the directory of a scope owns no name in the scope', () => {
  sandbox.write('app/node_modules/@scope/other/package.json', '{}');
  expect(ownerOf('@scope/exa-js')).toBeUndefined();
  sandbox.write('app/node_modules/@scope/exa-js/package.json', '{}');
  expect(ownerOf('@scope/exa-js')).toBe('app/node_modules/@scope/exa-js');
});

test('the nearest copy above owns the name', () => {
  sandbox.write('node_modules/exa-js/package.json', '{}');
  expect(ownerOf('exa-js', 'app/src')).toBe('node_modules/exa-js');
  sandbox.write('app/src/node_modules/exa-js/package.json', '{}');
  expect(ownerOf('exa-js', 'app/src')).toBe('app/src/node_modules/exa-js');
});

test('a link owns the name, whatever its target', () => {
  makeLink('app/node_modules/dangling', 'gone');
  makeLink('app/node_modules/loop', 'loop');
  makeLink('app/node_modules/@scope/dangling', '../gone');
  makeLink('app/node_modules/file.js', 'gone.js');
  for (const name of ['dangling', 'loop', '@scope/dangling', 'file']) {
    expect(ownerOf(name), name).toBeDefined();
  }
});

test('a link loop on the path owns every name', () => {
  makeLink('looping/node_modules', 'node_modules');
  expect(ownerOf('exa-js', 'looping')).toBe('looping/node_modules/exa-js');
});

test('a file named node_modules owns no name', () => {
  sandbox.write('plain/node_modules', '');
  expect(ownerOf('exa-js', 'plain')).toBeUndefined();
});

test('a package owns its own name from every file in it, with and without exports', () => {
  sandbox.write('app/packages/self/package.json', { name: 'exa-js' });
  expect(ownerOf('exa-js', 'app/packages/self/src')).toBe('app/packages/self/package.json');
  expect(ownerOf('exa-js', 'app/packages')).toBeUndefined();
  expect(ownerOf('app', 'app/src')).toBe('app/package.json');
});

test('a package.json without a name does not end the scope; one with another name does', () => {
  sandbox.write('app/packages/self/package.json', { name: 'exa-js' });
  sandbox.write('app/packages/self/dist/package.json', { type: 'module' });
  expect(ownerOf('exa-js', 'app/packages/self/dist')).toBe('app/packages/self/package.json');
  sandbox.write('app/packages/self/inner/package.json', { name: 'inner' });
  expect(ownerOf('exa-js', 'app/packages/self/inner')).toBeUndefined();
});

test('an invalid package.json can have any name', () => {
  for (const text of ['{', '', 'null', '7']) {
    sandbox.write('app/broken/package.json', text);
    expect(ownerOf('exa-js', 'app/broken/src'), text).toBe('app/broken/package.json');
  }
});

test('NODE_PATH and the global folders own their packages, in every form', () => {
  sandbox.write('node-path/exa-js/package.json', '{}');
  sandbox.write('node-path/plain.js', '');
  makeLink('second/dangling', 'gone');
  const globals = ['gone', 'node-path', 'second'];
  expect(ownerOf('exa-js', 'app', globals)).toBe('node-path/exa-js');
  expect(ownerOf('plain', 'app', globals)).toBe('node-path/plain.js');
  expect(ownerOf('dangling', 'app', globals)).toBe('second/dangling');
  expect(ownerOf('exa-js', 'app', [])).toBeUndefined();
  expect(ownerOf('other', 'app', globals)).toBeUndefined();
});

test('an unreadable path owns the name, except in the global folders', () => {
  sandbox.write('app/node_modules/@locked/other/package.json', '{}');
  sandbox.write('app/src/node_modules/other/package.json', '{}');
  sandbox.write('app/sealed/package.json', { name: 'sealed' });
  sandbox.write('home/.node_modules/other/package.json', '{}');
  const locked = [
    ...['app/node_modules/@locked', 'app/src/node_modules', 'app/sealed/package.json'],
    'home/.node_modules',
  ];
  for (const path of locked) chmodSync(join(sandbox.root, path), 0o000);
  const owners = callAsPlainUser(() => [
    ownerOf('@locked/exa-js'),
    ownerOf('exa-js', 'app/src/deep'),
    ownerOf('exa-js', 'app/sealed'),
    ownerOf('exa-js', 'app', ['home/.node_modules']),
  ]);
  expect(owners).toEqual([
    'app/node_modules/@locked/exa-js',
    'app/src/node_modules/exa-js',
    'app/sealed/package.json',
    undefined,
  ]);
});
