/** The JSON schema of the `annex` key accepts what the reader accepts, except for rules that no schema can express. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { readDeclaration } from '../../../src/settings/declaration.ts';
import { repositoryRoot } from '../../support/package.ts';

const path = join(repositoryRoot, 'docs', 'annex.schema.json');
const schema = JSON.parse(readFileSync(path, 'utf8'));
const isValid = new Ajv().compile(schema);

/** Whether the reader reports nothing. */
function isClean(annex: unknown): boolean {
  const manifest = { name: 'app', annex };
  const { declaration } = readDeclaration({ path: 'package.json', manifest, workspaces: ['part'] });
  const { refusals, features } = declaration;
  return refusals.length === 0 && [...features.values()].every(({ refusal }) => !refusal);
}

const range = '^1.0.0';
const long = 'x'.repeat(200);
const packages = { alpha: range };

test.each<[string, unknown]>([
  ['an empty key', {}],
  ['no features', { features: {} }],
  ['the name of the schema', { $schema: 'annex/schema.json' }],
  ['the short form', { features: { 'exa-js': range, '@acme/alpha': '>=4 <5 || 6.x' } }],
  ['the long form', { features: { 'search.all': { packages: { alpha: range, '@a/b': '*' } } } }],
  ['the long form under the name of a package', { features: { alpha: { packages } } }],
  ['any printable name', { features: { 'Search: “all” / Ä': { packages } } }],
  ['a package name with capitals', { features: { JSONStream: range, '@Acme/a': range } }],
  ['the longest name', { features: { [long]: range } }],
  ['the longest range', { features: { alpha: `${range}${' '.repeat(194)}` } }],
  ['importers', { importers: ['/opt/data/plugins', '@langchain/community', 'ws'] }],
  ['no importers', { importers: [] }],
  ['booleans', { allowInstalls: false, fromOptionalPeers: true }],
  ...['1', 'TRUE', 'Yes', ' on ', '0', 'false', 'no', 'oFF'].map((word): [string, unknown] => [
    `a switch spelled ${word}`,
    { allowInstalls: word },
  ]),
  ['a switch that is a number', { allowInstalls: 0 }],
  ['conflicts that nest', { conflicts: 'nest' }],
  ['nothing blocked', { blocked: [] }],
  [
    'blocked versions',
    { blocked: ['alpha', '@a/b', 'JSONStream@<2', '@a/b@1.2.3 || ^2', ' x@ * '] },
  ],
  [
    'blocked versions with reasons',
    { blocked: [{ spec: 'alpha@1', reason: 'CVE' }, { spec: 'x' }] },
  ],
  ['platforms', { platforms: ['linux-x64-musl', 'darwin-arm64'] }],
  [
    'every key of a feature',
    { features: { x: { packages, scripts: ['alpha'], conflicts: 'fail', share: false } } },
  ],
])('both accept %s', (_, annex) => {
  expect({ reader: isClean(annex), schema: isValid(annex) }).toEqual({
    reader: true,
    schema: true,
  });
});

test.each<[string, unknown]>([
  ['a key that is a string', 'exa-js'],
  ['a key that is a list', ['exa-js']],
  ['a key that is null', null],
  ['an unknown key', { feature: {} }],
  ['a key of a later version', { mirrors: ['alpha'] }],
  ['blocked that is no list', { blocked: 'alpha' }],
  ['something blocked that is a number', { blocked: [1] }],
  ['something blocked that is nothing', { blocked: [''] }],
  ['something blocked that is everything', { blocked: ['*'] }],
  ['something blocked that is an alias', { blocked: ['npm:alpha@1'] }],
  ['something blocked in no version', { blocked: ['alpha@'] }],
  ['something blocked without a spec', { blocked: [{ reason: 'why' }] }],
  ['something blocked for a reason in numbers', { blocked: [{ spec: 'alpha', reason: 1 }] }],
  ['something blocked with more', { blocked: [{ spec: 'alpha', until: '2027-01-01' }] }],
  ['conflicts that are neither', { conflicts: 'merge' }],
  ['a platform that is none', { platforms: ['linux-x64'] }],
  ['platforms that are no list', { platforms: 'linux-x64-glibc' }],
  ['features that are a list', { features: ['exa-js'] }],
  ['an empty name', { features: { '': { packages } } }],
  ['a name that is too long', { features: { [`${long}x`]: { packages } } }],
  ['an unprintable name', { features: { 'a\u0007b': { packages } } }],
  ['the short form under a name that is no package', { features: { 'search all': range } }],
  ['a package name that is reserved', { features: { node_modules: range } }],
  ['a package name that is hidden', { features: { x: { packages: { '.alpha': range } } } }],
  ['a package name that is too long', { features: { x: { packages: { [`${long}x`]: range } } } }],
  ['a feature that is a number', { features: { alpha: 1 } }],
  ['a feature that is null', { features: { alpha: null } }],
  ['a feature that is a list', { features: { alpha: [range] } }],
  ['a feature without packages', { features: { alpha: {} } }],
  ['a feature with no packages', { features: { alpha: { packages: {} } } }],
  ['packages that are a list', { features: { alpha: { packages: ['alpha'] } } }],
  ['a range that is a number', { features: { x: { packages: { alpha: 1 } } } }],
  ['an unknown key in a feature', { features: { x: { packages, blocked: ['alpha'] } } }],
  ['scripts that are no list', { features: { x: { packages, scripts: 'alpha' } } }],
  ['scripts of no package', { features: { x: { packages, scripts: ['No Good'] } } }],
  ['conflicts of a feature that are neither', { features: { x: { packages, conflicts: true } } }],
  ['share that is text', { features: { x: { packages, share: 'yes' } } }],
  ['an empty range', { features: { alpha: '' } }],
  ['a blank range', { features: { alpha: '  ' } }],
  ['a range that is too long', { features: { alpha: `${range}${' '.repeat(195)}` } }],
  ['importers that are no list', { importers: '/opt' }],
  ['an importer that is relative', { importers: ['./plugins'] }],
  ['an importer that is no package', { importers: ['No Good'] }],
  ['an importer that is a number', { importers: [1] }],
  ['a switch that is none', { allowInstalls: 'maybe' }],
  ['a switch that is another number', { allowInstalls: 2 }],
  ['a switch that is null', { allowInstalls: null }],
  ['fromOptionalPeers that is a string', { fromOptionalPeers: 'yes' }],
])('both refuse %s', (_, annex) => {
  expect({ reader: isClean(annex), schema: isValid(annex) }).toEqual({
    reader: false,
    schema: false,
  });
});

test.each<[string, unknown]>([
  ['which names Node has for itself', { features: { fs: range } }],
  ['what the core is called', { features: { app: range } }],
  ['what its workspaces are called', { features: { part: range } }],
  ['that a package is in two features', { features: { alpha: range, x: { packages } } }],
  ['that two names are one file name', { features: { 'a b': { packages }, 'a-b': range } }],
  ['where semver stops reading a wildcard', { features: { alpha: '1.*.3' } }],
  ['which versions are blocked by a range that is none', { blocked: ['alpha@latest'] }],
  ['which integers are too large', { features: { alpha: '^99999999999999999.0.0' } }],
])('only the reader refuses %s', (_, annex) => {
  expect({ reader: isClean(annex), schema: isValid(annex) }).toEqual({
    reader: false,
    schema: true,
  });
});

describe('the pattern of a range', () => {
  const partials = [
    '1',
    '1.2',
    '1.2.3',
    'x',
    '1.X',
    'v1.2.3',
    '=1',
    '01.2.3',
    '1.2.3.4',
    '1.2.3-rc.1',
    '1.2.3-01',
    '1.2.3+b.01',
    '1.2-rc',
    'latest',
    '1a',
    '',
    '-1',
  ];
  const operators = ['', '^', '~', '~>', '>', '>=', '<', '<=', '=', '^ ', '>= ', '^^', '!', '=>'];
  const simple = operators.flatMap((operator) => partials.map((partial) => operator + partial));
  const some = [
    '1',
    '^1.2',
    '>=1 <2',
    'latest',
    '',
    '1 - 2',
    '1.2.3-a - 2.x',
    '1 -2',
    '1- 2',
    '^1 - 2',
  ];
  const joined = some.flatMap((a) =>
    some.flatMap((b) => [`${a} || ${b}`, `${a}||${b}`, `${a} ${b}`, `${a}|${b}`, `${a},${b}`]),
  );
  const foreign = [
    'npm:a@1',
    'file:../a',
    './a',
    'a/b',
    'git+ssh://a/b',
    'https://a/b.tgz',
    'workspace:*',
    '>1<2',
    '1\n2',
    '\t1',
  ];

  test('it accepts exactly what semver accepts', () => {
    const texts = [...simple, ...joined, ...foreign];
    const differing = texts.filter((text) => {
      const annex = { features: { alpha: text } };
      return isValid(annex) !== isClean(annex);
    });
    expect(differing).toEqual([]);
    const taken = texts.filter((text) => isClean({ features: { alpha: text } }));
    expect(taken.length).toBeGreaterThan(100);
    expect(texts.length - taken.length).toBeGreaterThan(100);
  });
});

test('the schema of a package.json checks the annex key, and no other', () => {
  const outer = JSON.parse(readFileSync(join(path, '..', 'package.schema.json'), 'utf8'));
  const check = new Ajv().addSchema(schema, 'annex.schema.json').compile(outer);
  const rest = { name: 'app', version: '1.0.0', dependencies: {} };
  expect(check(rest)).toBe(true);
  expect(check({ ...rest, annex: { features: { alpha: range } } })).toBe(true);
  expect(check({ ...rest, annex: { feature: { alpha: range } } })).toBe(false);
});
