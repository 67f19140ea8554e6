/** Pauses between the attempts of one request. */
import { expect, test, vi } from 'vitest';
import { makeRequestError } from '../../../src/registry/failure.ts';
import { withRetries } from '../../../src/registry/retry.ts';

const settings = { retries: 2, retryFactor: 10, retryMinimum: 10_000, retryMaximum: 60_000 };
const refusal = { code: 'ANNEX_OFFLINE', reason: 'no', hint: 'wait' } as const;

test.each([
  { isUnreachable: true, bounds: [1_000, 1_000] },
  { isUnreachable: false, bounds: [10_000, 60_000] },
])('the longest pauses are $bounds ms (isUnreachable: $isUnreachable)', async (row) => {
  vi.spyOn(Math, 'random').mockReturnValue(1);
  const error = makeRequestError(refusal, { isTransient: true, isUnreachable: row.isUnreachable });
  const pauses: number[] = [];
  const wait = async (ms: number): Promise<void> => void pauses.push(ms);
  const client = { wait, hasTimeFor: () => true };
  await expect(withRetries(() => Promise.reject(error), client, settings)).rejects.toBe(error);
  expect(pauses).toEqual(row.bounds);
  vi.restoreAllMocks();
});

test('no pause ends after the deadline: the failure is the result at once', async () => {
  const error = makeRequestError(refusal, { isTransient: true });
  const asked: number[] = [];
  const client = {
    wait: () => Promise.reject(new Error('it waits')),
    hasTimeFor: (ms: number) => asked.push(ms) === 0,
  };
  await expect(withRetries(() => Promise.reject(error), client, settings)).rejects.toBe(error);
  expect(asked).toHaveLength(1);
});
