/** Results of a function are kept, in bounded number. */
import { expect, test, vi } from 'vitest';
import { MAX_REMEMBERED, remember } from '../../../src/base/remember.ts';

test('each result is computed once, and undefined too', () => {
  const compute = vi.fn((key: string) => (key === 'none' ? undefined : key.length));
  const length = remember(compute);
  expect([length('abc'), length('none'), length('abc'), length('none')]).toEqual([
    3,
    undefined,
    3,
    undefined,
  ]);
  expect(compute).toHaveBeenCalledTimes(2);
});

test('a result that is not to be kept is computed again', () => {
  const compute = vi.fn((key: string) => key.length);
  const length = remember(compute, (result) => result > 1);
  for (const key of ['a', 'a', 'bb', 'bb']) length(key);
  expect(compute).toHaveBeenCalledTimes(3);
});

test('the results of more names than fit are forgotten, and computed again', () => {
  const compute = vi.fn((key: string) => key.length);
  const length = remember(compute);
  for (let at = 0; at <= MAX_REMEMBERED; at++) length(`${at}`);
  compute.mockClear();
  length(`${MAX_REMEMBERED}`);
  expect(compute).not.toHaveBeenCalled();
  expect(length('0')).toBe(1);
  expect(compute).toHaveBeenCalledOnce();
});
