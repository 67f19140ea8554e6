/** Reading the `annex` key: a refusal names the key of every invalid feature, and turns off that feature alone. */
import { describe, expect, test } from 'vitest';
import { path, read } from '../../support/declaration-world.ts';

/** Reads features, with a good one before and after the others. */
function readAmong(features: object) {
  const declaration = read({ features: { before: '^1.0.0', ...features, after: '~2.1.0' } });
  const refused = [...declaration.features.values()].flatMap(({ name, refusal }) =>
    refusal === undefined ? [] : [{ name, ...refusal }],
  );
  return { declaration, refused };
}

const long = 'x'.repeat(201);

describe('a range is a semver range', () => {
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
    ['1.2.3.4', 'no version'],
    ['^1.0.0 || latest', 'no version'],
    ['>=', 'no version'],
    [`^1.0.0${' '.repeat(200)}`, 'longer than 200 characters'],
  ])('%j is %s', (range, what) => {
    const { declaration, refused } = readAmong({ beta: range });
    expect(refused).toEqual([
      {
        name: 'beta',
        code: 'ANNEX_INVALID_CONFIG',
        reason: expect.stringMatching(
          new RegExp(
            `^annex\\.features\\["beta"\\] in ${path} has .* for beta, which is ${what}, not a`,
          ),
        ),
        hint: 'correct that key of package.json',
      },
    ]);
    expect(refused[0]?.reason.length).toBeLessThan(320);
    expect(declaration.refusals).toEqual([]);
  });

  test.each(
    [
      ['^1.0.0', '~1.2', '1', '1.2.3', '*', 'x', '>=1 <2', '1 || 2', '1.0.0 - 2.0.0', '=1.0.0'],
      ['v1.2.3', '^1.0.0-rc.1', ' ^1.0.0 ', '<=2', '1.x', '^0.0.0', '1.2.3+build'],
    ].flat(),
  )('%j is valid', (range) => {
    const { declaration, refused } = readAmong({ beta: range });
    expect(refused).toEqual([]);
    expect(declaration.byPackage.get('beta')?.packages).toEqual({ beta: range });
  });
});

describe('an invalid feature is off, its key is named, and no other is off', () => {
  test.each([
    [
      'an invalid name',
      { 'No Good': '^1.0.0' },
      /"No Good", which is not a valid npm package name/,
    ],
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
    ['a builtin', { fs: '^1.0.0' }, /"fs", which is a builtin of Node/],
    ['a builtin subpath', { 'fs/promises': '^1.0.0' }, /not a valid npm package name/],
    ['the core itself', { app: '^1.0.0' }, /"app", which is the core itself/],
    ['a workspace', { part: '^1.0.0' }, /"part", which is a workspace of the core/],
    ['a scoped workspace', { '@app/part': '^1.0.0' }, /is a workspace of the core/],
    ['a number', { beta: 1 }, /neither a semver range nor/],
    ['null', { beta: null }, /neither a semver range nor/],
    ['a list', { beta: ['^1.0.0'] }, /neither a semver range nor/],
    ['true', { beta: true }, /neither a semver range nor/],
    ['an empty object', { beta: {} }, /neither a semver range nor/],
    [
      'no packages',
      { beta: { packages: {} } },
      /packages in .* is not \{ NAME: RANGE \} with at least one/,
    ],
    ['packages as a list', { beta: { packages: ['beta'] } }, /neither a semver range nor/],
    ['packages as text', { beta: { packages: 'beta' } }, /neither a semver range nor/],
    ['a range that is no text', { beta: { packages: { beta: 1 } } }, /is not \{ NAME: RANGE \}/],
    [
      'a builtin in a group',
      { beta: { packages: { beta: '1', net: '1' } } },
      /"net", which is a builtin/,
    ],
    [
      'the core in a group',
      { beta: { packages: { app: '1' } } },
      /"app", which is the core itself/,
    ],
    ['a tag in a group', { beta: { packages: { beta: '1', gamma: 'latest' } } }, /a tag/],
    ['a package of another', { beta: { packages: { before: '1' } } }, /already in .*"before"/],
    ['an unknown key', { beta: { packages: { beta: '1' }, blocked: ['beta'] } }, /cannot honor/],
    ['scripts as text', { beta: { packages: { beta: '1' }, scripts: 'beta' } }, /not a list of/],
    ['other conflicts', { beta: { packages: { beta: '1' }, conflicts: 'no' } }, /neither fail/],
    ['share as text', { beta: { packages: { beta: '1' }, share: 'no' } }, /neither true/],
  ])('%s', (_, features, reason) => {
    const [name = ''] = Object.keys(features);
    const { declaration, refused } = readAmong(features);
    expect(refused).toMatchObject([{ name, reason: expect.stringMatching(reason) }]);
    expect(refused[0]?.reason.startsWith(`annex.features[${JSON.stringify(name)}]`)).toBe(true);
    for (const good of ['before', 'after']) {
      expect(declaration.features.get(good)?.refusal).toBeUndefined();
      expect(declaration.byPackage.get(good)?.name).toBe(good);
    }
    expect(declaration.refusals).toEqual([]);
  });

  test('the named key is as deep as possible', () => {
    const { refused } = readAmong({
      beta: { packages: { beta: '1' }, conflicts: 'merge' },
      gamma: { packages: {} },
    });
    expect(refused.map(({ reason }) => reason.split(' ')[0])).toEqual([
      'annex.features["beta"].conflicts',
      'annex.features["gamma"].packages',
    ]);
  });

  test('a package in two features stays with the first', () => {
    const group = { packages: { shared: '^1.0.0', gamma: '^1.0.0' } };
    const { declaration, refused } = readAmong({ shared: '^1.0.0', group });
    expect(refused.map(({ name }) => name)).toEqual(['group']);
    expect(declaration.byPackage.get('shared')?.name).toBe('shared');
    expect(declaration.byPackage.get('gamma')?.name).toBe('group');
  });

  test('two names with the same file name: the second is off', () => {
    const { refused } = readAmong({ '@acme/beta': '^1.0.0', 'acme-beta': '^1.0.0' });
    expect(refused).toEqual([
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
    const { refused } = readAmong({ ...wrong, [name]: '^1.0.0' });
    expect(refused.map((one) => one.name)).toEqual(Object.keys(wrong));
  });

  test('names that are builtins, the core or a workspace never become declared packages', () => {
    const { byPackage } = read({ features: { fs: '1', app: '1', part: '1', 'No Good': '1' } });
    expect([...byPackage.keys()]).toEqual([]);
  });
});
