/** Which name a mistyped one may mean. */
import { expect, test } from 'vitest';
import { findNearest, suggest } from '../../../src/settings/suggest.ts';

const names = ['list', 'lock', 'exa-js', 'search.firecrawl', 'pg', '@langchain/community'];

test.each([
  ['lsit', 'list'],
  ['lst', 'list'],
  ['LIST', 'list'],
  ['locks', 'lock'],
  ['exajs', 'exa-js'],
  ['search.firecrwal', 'search.firecrawl'],
  ['@langchain/comunity', '@langchain/community'],
  ['pgx', 'pg'],
  ['exa', 'exa-js'],
  ['search', 'search.firecrawl'],
])('%s may mean %s', (word, nearest) => {
  expect(findNearest(word, names)).toBe(nearest);
});

test.each(['', 'x', 'zod', 'react', 'fire'])('nothing is near %j', (word) => {
  expect(findNearest(word, names)).toBeUndefined();
  expect(suggest(word, names)).toBe('');
});

test('of names that are equally near, one with the same first letter counts', () => {
  expect(findNearest('sotre', ['core', 'store'])).toBe('store');
  expect(findNearest('sotre', ['store', 'core'])).toBe('store');
});
