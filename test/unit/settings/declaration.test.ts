/** Reading the `annex` key: every wrong form is named by its key, and puts off that feature alone. */
import { isBuiltin } from 'node:module';
import { describe, expect, test } from 'vitest';
import { isRange } from '../../../src/base/semver.ts';
import { readDeclaration } from '../../../src/settings/declaration.ts';

const surroundings = { isBuiltin, isRange, workspaces: ['@app/part', 'part'] };

/** Reads an `annex` key of a core called `app`. */
const read = (annex: unknown, manifest: object = {}) =>
  readDeclaration({ name: 'app', annex, ...manifest }, surroundings);

/** Reads features, with a good one before and after the others. */
function readAmong(features: object) {
  const declaration = read({ features: { before: '^1.0.0', ...features, after: '~2.1.0' } });
  const problems = [...declaration.features.values()].flatMap(({ name, problem }) =>
    problem === undefined ? [] : [{ name, ...problem }],
  );
  return { declaration, problems };
}

const long = 'x'.repeat(201);

describe('a range is a semver range and nothing else', () => {
  test.each([
    ['latest', 'a tag'],
    ['next', 'a tag'],
    ['https://example.com/x.tgz', 'a URL'],
    ['http://example.com/x.tgz', 'a URL'],
    ['git://example.com/x.git', 'a git address'],
    ['git+ssh://git@example.com/x.git#v1', 'a git address'],
    ['git+https://example.com/x.git', 'a git address'],
    ['git@github.com:user/repo.git', 'a git address'],
    ['github:user/repo', 'a git address'],
    ['user/repo', 'a git address'],
    ['user/repo#main', 'a git address'],
    ['file:../x', 'a path'],
    ['link:../x', 'a path'],
    ['./x', 'a path'],
    ['../x', 'a path'],
    ['/x', 'a path'],
    ['~/x', 'a path'],
    ['workspace:*', 'a workspace reference'],
    ['catalog:', 'a catalog reference'],
    ['npm:other@^1.0.0', 'an alias'],
    ['NPM:other@^1.0.0', 'an alias'],
    ['', 'empty'],
    ['  ', 'empty'],
    ['1.2.3.4', 'not a semver range'],
    ['^1.0.0 || latest', 'not a semver range'],
    ['>=', 'not a semver range'],
    [`^1.0.0${' '.repeat(200)}`, 'longer than 200 characters'],
  ])('%j is %s', (range, what) => {
    const { declaration, problems } = readAmong({ beta: range });
    expect(problems).toEqual([
      { name: 'beta', key: 'annex.features["beta"]', reason: expect.stringContaining(what) },
    ]);
    expect(problems[0]?.reason.length).toBeLessThan(300);
    expect(declaration.problems).toEqual([]);
  });

  test.each(
    [
      ['^1.0.0', '~1.2', '1', '1.2.3', '*', 'x', '>=1 <2', '1 || 2', '1.0.0 - 2.0.0', '=1.0.0'],
      ['v1.2.3', '^1.0.0-rc.1', ' ^1.0.0 ', '<=2', '1.x', '^0.0.0', '1.2.3+build'],
    ].flat(),
  )('%j is one', (range) => {
    const { declaration, problems } = readAmong({ beta: range });
    expect(problems).toEqual([]);
    expect(declaration.byPackage.get('beta')?.packages).toEqual({ beta: range });
  });
});

describe('a wrong feature is off, by its key, and no other', () => {
  test.each([
    ['an invalid name', { 'No Good': '^1.0.0' }, /"No Good" is not a valid npm package name/],
    ['a name with a slash', { 'a/b': '^1.0.0' }, /not a valid npm package name/],
    ['a name that leaves', { '../x': '^1.0.0' }, /not a valid npm package name/],
    ['a hidden name', { '.x': '^1.0.0' }, /not a valid npm package name/],
    ['a bare scope', { '@acme/': '^1.0.0' }, /not a valid npm package name/],
    ['node_modules', { node_modules: '^1.0.0' }, /not a valid npm package name/],
    ['a subpath', { '@acme/a/b': '^1.0.0' }, /not a valid npm package name/],
    ['a name with its range', { 'beta@1': '^1.0.0' }, /not a valid npm package name/],
    ['a long name', { [long]: '^1.0.0' }, /longer than 200 characters/],
    ['an empty name', { '': '^1.0.0' }, /empty/],
    ['an unprintable name', { 'a\u001bb': '^1.0.0' }, /unprintable/],
    ['a prototype key', { ['__proto__']: '^1.0.0' }, /not a valid npm package name/],
    ['a builtin', { fs: '^1.0.0' }, /fs is a builtin of Node/],
    ['a builtin subpath', { 'fs/promises': '^1.0.0' }, /not a valid npm package name/],
    ['the core itself', { app: '^1.0.0' }, /app is the core itself/],
    ['a workspace', { part: '^1.0.0' }, /part is a workspace of the core/],
    ['a scoped workspace', { '@app/part': '^1.0.0' }, /is a workspace of the core/],
    ['a number', { beta: 1 }, /neither a semver range nor/],
    ['null', { beta: null }, /neither a semver range nor/],
    ['a list', { beta: ['^1.0.0'] }, /neither a semver range nor/],
    ['true', { beta: true }, /neither a semver range nor/],
    ['an empty object', { beta: {} }, /neither a semver range nor/],
    ['no packages', { beta: { packages: {} } }, /neither a semver range nor/],
    ['packages as a list', { beta: { packages: ['beta'] } }, /neither a semver range nor/],
    ['packages as text', { beta: { packages: 'beta' } }, /neither a semver range nor/],
    ['a range that is no text', { beta: { packages: { beta: 1 } } }, /neither a semver range nor/],
    ['a builtin in a group', { beta: { packages: { beta: '1', net: '1' } } }, /net is a builtin/],
    ['the core in a group', { beta: { packages: { app: '1' } } }, /app is the core itself/],
    ['a tag in a group', { beta: { packages: { beta: '1', gamma: 'latest' } } }, /a tag/],
    ['a package of another', { beta: { packages: { before: '1' } } }, /already in .*"before"/],
    ['an unknown key', { beta: { packages: { beta: '1' }, blocked: ['beta'] } }, /cannot honour/],
    ['scripts as text', { beta: { packages: { beta: '1' }, scripts: 'beta' } }, /not a list of/],
    ['other conflicts', { beta: { packages: { beta: '1' }, conflicts: 'no' } }, /neither fail/],
    ['share as text', { beta: { packages: { beta: '1' }, share: 'no' } }, /neither true/],
  ])('%s', (_, features, reason) => {
    const [name = ''] = Object.keys(features);
    const { declaration, problems } = readAmong(features);
    expect(problems).toEqual([
      { name, key: expect.any(String), reason: expect.stringMatching(reason) },
    ]);
    expect(problems[0]?.key.startsWith(`annex.features[${JSON.stringify(name)}]`)).toBe(true);
    for (const good of ['before', 'after']) {
      expect(declaration.features.get(good)?.problem).toBeUndefined();
      expect(declaration.byPackage.get(good)?.name).toBe(good);
    }
    expect(declaration.problems).toEqual([]);
  });

  test('the key of what is wrong inside a feature goes as deep as it can', () => {
    const { problems } = readAmong({
      beta: { packages: { beta: '1' }, conflicts: 'merge' },
      gamma: { packages: {} },
    });
    expect(problems.map(({ key }) => key)).toEqual([
      'annex.features["beta"].conflicts',
      'annex.features["gamma"].packages',
    ]);
  });

  test('a package in two features stays with the first', () => {
    const group = { packages: { shared: '^1.0.0', gamma: '^1.0.0' } };
    const { declaration, problems } = readAmong({ shared: '^1.0.0', group });
    expect(problems.map(({ name }) => name)).toEqual(['group']);
    expect(declaration.byPackage.get('shared')?.name).toBe('shared');
    expect(declaration.byPackage.get('gamma')?.name).toBe('group');
  });

  test('two names that are one as a file name: the second is off', () => {
    const { problems } = readAmong({ '@acme/beta': '^1.0.0', 'acme-beta': '^1.0.0' });
    expect(problems).toEqual([
      expect.objectContaining({
        name: 'acme-beta',
        reason: expect.stringContaining('"@acme/beta"'),
      }),
    ]);
  });

  test.each([
    ['an empty name', { '': '1' }, 'feature'],
    ['an unprintable name', { 'be\u0007ta': '1' }, 'be-ta'],
    ['a wrong range', { '@be/ta': 'latest' }, 'be-ta'],
    ['a wrong form', { '@be/ta': 5 }, 'be-ta'],
  ])('%s does not take the file name from a good feature', (_, wrong, name) => {
    const { problems } = readAmong({ ...wrong, [name]: '^1.0.0' });
    expect(problems.map((problem) => problem.name)).toEqual(Object.keys(wrong));
  });

  test('names that are builtins, the core or a workspace never become declared packages', () => {
    const { byPackage } = read({ features: { fs: '1', app: '1', part: '1', 'No Good': '1' } });
    expect([...byPackage.keys()]).toEqual([]);
  });
});
