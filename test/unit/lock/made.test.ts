import { expect, test } from 'vitest';
import { findDate } from '../../../src/lock/made.ts';

test('the date of a lock is SOURCE_DATE_EPOCH, in seconds', () => {
  expect(findDate({ SOURCE_DATE_EPOCH: '0' })).toBe('1970-01-01T00:00:00Z');
  expect(findDate({ SOURCE_DATE_EPOCH: '1750000000' })).toBe('2025-06-15T15:06:40Z');
});

test.each([undefined, '', '-1', '1e3', '1.5', 'tomorrow', '9'.repeat(20)])(
  'without a number of seconds in it (%s), the date is the present',
  (epoch) => {
    const start = Date.now();
    const date = Date.parse(findDate(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: epoch }));
    expect(date).toBeGreaterThan(start - 1000);
    expect(date).toBeLessThanOrEqual(Date.now());
  },
);
