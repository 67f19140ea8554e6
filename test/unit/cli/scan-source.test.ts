/** The requests of packages that the lexer finds in a source. */
import { beforeAll, describe, expect, test } from 'vitest';
import { openReader, type ReadRequests } from '../../../src/cli/scan/source.ts';

let readRequests: ReadRequests;

beforeAll(async () => {
  const reader = await openReader();
  if (reader === undefined) throw new Error('no WebAssembly');
  readRequests = reader;
});

/** Requests as `KIND SPECIFIER`; `?` for a computed specifier. */
const list = (text: string, extension = '.js'): string[] =>
  readRequests(text, extension).map(({ kind, specifier = '?' }) => `${kind} ${specifier}`);

describe('a request is', () => {
  test.each([
    [
      "import a from 'a'; import 'b'; export * from 'c'; export { d } from 'd'",
      'import a, import b, import c, import d',
    ],
    ["import defer * as a from 'a'; import source b from 'b'", 'import a, import b'],
    ["import { x, y as z } from\n 'a'", 'import a'],
    [
      "await import('a'); import(`b`); import(/* webpackIgnore: true */ 'c', { with: {} })",
      'import() a, import() b, import() c',
    ],
    [
      "const a = require('a'); require ( 'b' ); module.require('c')",
      'require a, require b, require c',
    ],
    ["module.exports = {...require('a')}", 'require a'],
    [
      "try { require.resolve('a') } catch {} import.meta.resolve('b')",
      'require.resolve a, import.meta.resolve b',
    ],
    [
      "createRequire(import.meta.url)('a'); Module.createRequire(join(x, 'y'))('b')",
      'require a, require b',
    ],
    ["createRequire(\n import.meta.url,\n).resolve('a')", 'require.resolve a'],
    [
      "const $load = createRequire(__filename); $load('a'); $load.resolve('b')",
      'require a, require.resolve b',
    ],
    ["import { load } from 'annex'; await load('a'); load(name)", 'import annex, load a, load ?'],
    [
      "const { ensure, load: get } = require('annex'); get ('a').then(x); load('b')",
      'require annex, load a',
    ],
    [`\`\${require('a')} \${await import('b')}\``, 'require a, import() b'],
    ["if (x) return; require('a')", 'require a'],
    ["#!/usr/bin/env node\nrequire('a')", 'require a'],
    ["import(name); require('a' + name)", 'import() ?, require ?'],
  ])('%s', (text, expected) => {
    expect(list(text).join(', ')).toBe(expected);
  });
});

describe('no request is', () => {
  test.each([
    ['a comment', "// import('a')\n/* require('b') */"],
    ['a string', `const text = "require('a')"; const other = '\\'import("b")'`],
    ['a template', "const text = `import x from 'a'; require('b')`"],
    ['a regular expression', "/require('a')/.test(text)"],
    ['a method of another object', "loader.require('a'); loader.import('b'); this.#require('c')"],
    ['a function of that name', 'function require(id) {} class A { import(x) {} require(x) {} }'],
    [
      'a call of what createRequire required',
      "const log = createRequire(import.meta.url)('debug'); log('a')",
    ],
  ])('%s', (name, text) => {
    const found = list(text);
    expect(found).toEqual(name.startsWith('a call') ? ['require debug'] : []);
  });
});

test('the types of TypeScript request nothing, and its values do', () => {
  const text = `import type { A } from 'a';
import type B from 'b';
export type { C } from 'c';
import d = require('d');
import type from 'e';
enum Kind { One = 'one' }
type F = typeof import('f');
let g: import('g').G | Promise<import('g').G>;
const h = <T,>(x: T) => x;
import('i').then((i) => i.default);
abstract class K { constructor(private readonly k: string) {} }`;
  expect(list(text, '.ts')).toEqual(['require d', 'import e', 'import() i']);
});

test('a load() with type arguments is a request of the package', () => {
  const text = `import { isAvailable, load as $get } from "annex";
$get<typeof import('a')>('a');
$get<
  A<B>
>('b/c');
load('d');`;
  expect(list(text, '.ts')).toEqual(['import annex', 'load a', 'load b/c']);
});

test('the markup of JSX requests nothing, and the expressions in it do', () => {
  const text = `const a = await import('a');
function Page<T extends object>({ rows }: { rows: T[] }) {
  const pick = <U,>(x: U) => x;
  return (
    <>
      <p title='import("t")' {...require('b')}>It's import('t'), isn't // it</p>
      <List<string> onClick={async () => (await import('c')).d} />
      {rows.map((r) => <b key={r}>"{r}" {/* don't */} <i/></b>)}{import('d')}</>
  );
}`;
  const expected = ['import() a', 'require b', 'import() c', 'import() d'];
  expect(list(text, '.tsx')).toEqual(expected);
  expect(list(text.replaceAll(/<.extends object>|<string>|<U,>|: (?:U|\{.*?\})/g, ''))).toEqual(
    expected,
  );
});

test('the line is that of the statement or the call', () => {
  const text = `import {
  a
} from 'a';

const b = createRequire(
  import.meta.url
)('b');
/*
*/ require('c'); import(
  'd');`;
  expect(readRequests(text, '.js').map(({ specifier, line }) => [specifier, line])).toEqual([
    ['a', 1],
    ['b', 5],
    ['c', 9],
    ['d', 9],
  ]);
});

test('a text that does not parse throws', () => {
  expect(() => list("const x = 'unterminated")).toThrow();
  expect(() => list("const x = <p>don't</p>", '.ts')).toThrow();
});
