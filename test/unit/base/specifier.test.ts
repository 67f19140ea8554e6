/** Splitting specifiers, with Node as the oracle, and the names that npm accepts. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { isPackageName, parseBareSpecifier } from '../../../src/base/specifier.ts';
import { createSandbox } from '../../support/sandbox.ts';

test.each([
  ['exa-js', 'exa-js', '.'],
  ['exa-js/sub', 'exa-js', './sub'],
  ['exa-js/sub/file.js', 'exa-js', './sub/file.js'],
  ['exa-js/', 'exa-js', './'],
  ['exa-js//sub', 'exa-js', './/sub'],
  ['exa-js/../other', 'exa-js', './../other'],
  ['@mendable/firecrawl-js', '@mendable/firecrawl-js', '.'],
  ['@mendable/firecrawl-js/sub', '@mendable/firecrawl-js', './sub'],
  ['@mendable/firecrawl-js/sub/#x', '@mendable/firecrawl-js', './sub/#x'],
  ['exa-js/sub?query', 'exa-js', './sub?query'],
])('%s is %s, %s', (specifier, name, subpath) => {
  expect(parseBareSpecifier(specifier)).toEqual({ name, subpath });
});

test.each([
  ['nothing', ''],
  ['a relative path', './exa-js'],
  ['a relative path upwards', '../exa-js'],
  ['a directory', '.'],
  ['the directory above', '..'],
  ['a hidden name', '.exa-js'],
  ['an absolute path', '/exa-js'],
  ['a share', '//host/exa-js'],
  ['an internal specifier', '#exa-js'],
  ['an internal specifier with a subpath', '#exa-js/sub'],
  ['a file URL', 'file:///exa-js'],
  ['a data URL', 'data:text/javascript,0'],
  ['a builtin with node:', 'node:fs'],
  ['a builtin with node: and a subpath', 'node:fs/promises'],
  ['a drive', 'C:\\exa-js'],
  ['a backslash', 'exa-js\\sub'],
  ['a scope alone', '@mendable'],
  ['a scope with a backslash', '@mendable\\firecrawl-js'],
  ['an encoded separator', 'exa-js%2fsub'],
  ['an encoded separator after a scope', '@mendable%2ffirecrawl-js'],
])('%s is not a bare specifier', (_what, specifier) => {
  expect(parseBareSpecifier(specifier)).toBeUndefined();
});

test('the name is the one that Node itself searches for', async () => {
  const specifiers = [
    ...['a', 'a/b', 'a//b', 'a/', 'a/../b', 'a/%2e%2e/b', 'A/B', '-a', '_a', '~a/b', '$a', 'a b'],
    ...['a@1.0.0/b', 'a?x', 'a?x/y', 'a#x/y', 'a/b#x', '@s/a', '@s/a/b/c', '@s/', '@/a', '@s//a'],
    ...['@s', '@', '@.s/a', '@s/.a', '.a', 'a%20b', 'a%2fb', 'a\\b', '@s%2fa', '@s\\a/b', '%61/b'],
  ];
  const sandbox = await createSandbox({ linkAnnex: false });
  const program = sandbox.write(
    'ask.mjs',
    `const found = {};
     for (const specifier of ${JSON.stringify(specifiers)}) {
       await import(specifier).catch(({ code, message }) => {
         const [, name] = /^Cannot find package '(.*)' imported/.exec(message) ?? [];
         found[specifier] = name ?? code;
       });
     }
     console.log(JSON.stringify(found));`,
  );
  const answer = execFileSync(process.execPath, [program], { encoding: 'utf8', env: {} });
  await sandbox.cleanup();
  const names = specifiers.map((specifier) => {
    const name = parseBareSpecifier(specifier)?.name;
    return [specifier, name ?? 'ERR_INVALID_MODULE_SPECIFIER'];
  });
  expect(Object.fromEntries(names)).toEqual(JSON.parse(answer));
});

test.each([
  ...['exa-js', 'a', '0', 'a.js', 'a_b', '-a', 'sqlite', 'constructor', '@scope/name', '@0/-'],
  ...['A', 'JSONStream', '@A/b'],
  ...['a'.repeat(200), `@${'a'.repeat(98)}/${'b'.repeat(100)}`],
])('%s is a package name', (name) => {
  expect(isPackageName(name)).toBe(true);
});

test.each([
  ...['', '.', '..', '.a', '_a', '__proto__', 'a b', 'a/b', '@a', '@a/', '@/b', '@a/b/c'],
  ...['@.a/b', '@a/.b', '@a/..', '@_a/b', '../a', 'a/../b', './a', '/a', '~a', "a'", 'a!'],
  ...['a%20b', 'a\\b', 'a\n', 'ä', 'a:b', 'npm:a', '#a', 'node_modules', 'favicon.ico'],
  ...['a'.repeat(201), `@${'a'.repeat(99)}/${'b'.repeat(100)}`],
])('%j is not a package name', (name) => {
  expect(isPackageName(name)).toBe(false);
});
