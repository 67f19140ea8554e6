/** Retry-After as registries send it. */
import { expect, test } from 'vitest';
import { readDelay } from '../../../src/registry/request.ts';

const DAY = 24 * 3_600_000;
const THEN = 'Mon, 30 Nov 2026 10:00:00 GMT';

test.each<[string | undefined, number | undefined]>([
  ['0', 0],
  ['120', 120_000],
  ['1.5', 1_500],
  ['99999999999999999999', DAY],
  ['9'.repeat(400), DAY],
  ['Mon, 30 Nov 2026 10:00:30 GMT', 30_000],
  ['Monday, 30-Nov-26 10:00:30 GMT', 30_000],
  ['Wed, 01 Jan 2020 00:00:00 GMT', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', DAY],
  [undefined, undefined],
  ['', undefined],
  ['-5', undefined],
  ['10s', undefined],
  ['later 2099', undefined],
  ['120, 120', undefined],
  ['Wed, 99 Xyz 2020 00:00:00 GMT', undefined],
])('Retry-After: %s is %s ms', (header, ms) => {
  expect(readDelay(header, THEN)).toBe(ms);
});

test('a date counts from now when the response has no date', () => {
  const header = new Date(Date.now() + 60_000).toUTCString();
  expect(readDelay(header, undefined)).toBeGreaterThan(55_000);
  expect(readDelay(header, 'yesterday')).toBeLessThanOrEqual(60_000);
});
