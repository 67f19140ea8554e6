/** The JSON schema of the operator's file accepts what the reader accepts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { readSource } from '../../../src/settings/sources.ts';
import { COLUMNS } from '../../../src/settings/table.ts';
import { repositoryRoot } from '../../support/package.ts';

const path = join(repositoryRoot, 'docs', 'operator.schema.json');
const schema = JSON.parse(readFileSync(path, 'utf8'));
const isValid = new Ajv().compile(schema);

/** Whether the reader reports nothing. */
const isClean = (written: Record<string, unknown>): boolean =>
  readSource({ kind: 'operator file', path: '/annex.json', written }).refusals.length === 0;

test.each<[string, Record<string, unknown>]>([
  ['an empty object', {}],
  ['the name of the schema', { $schema: 'annex/operator.schema.json' }],
  [
    'every key',
    { allowInstalls: false, timeout: 0.5, durability: 'none', verify: 'off', blocked: [] },
  ],
  ['blocked versions', { blocked: ['alpha@<2', { spec: 'beta', reason: 'CVE' }] }],
  ['the longest time', { timeout: 86_400 }],
])('both accept %s', (_, written) => {
  expect({ reader: isClean(written), schema: isValid(written) }).toEqual({
    reader: true,
    schema: true,
  });
});

test.each<[string, Record<string, unknown>]>([
  ['an unknown key', { mirror: 'x' }],
  ['a misspelled key', { allowInstall: true }],
  ['no time', { timeout: 0 }],
  ['too long a time', { timeout: 86_401 }],
  ['a time that is text', { timeout: '60' }],
  ['a durability that is none', { durability: 'full' }],
  ['a verification that is none', { verify: 'never' }],
  ['blocked that is no list', { blocked: 'alpha' }],
  ['a switch that is none', { allowInstalls: 'maybe' }],
])('both refuse %s', (_, written) => {
  expect({ reader: isClean(written), schema: isValid(written) }).toEqual({
    reader: false,
    schema: false,
  });
});

test('the schema describes every key', () => {
  const keys = [...COLUMNS['operator file'].keys(), '$schema'];
  expect(new Set(Object.keys(schema.properties))).toEqual(new Set(keys));
});
