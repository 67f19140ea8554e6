/** What a progress line says of a step. */
import { expect, test } from 'vitest';
import { createProgress, describeProgress } from '../../../src/install/progress.ts';

const fetching = (done: number, total?: number) => ({
  ...createProgress(),
  step: 'fetching' as const,
  packages: { done: 2, total: 8 },
  bytes: { done, total },
});

test('bytes and a rate are named once a transfer has begun, or the total is known', () => {
  expect(describeProgress(fetching(0), 2)).toBe('fetching 2 of 8 packages');
  expect(describeProgress(fetching(4e6), 2)).toBe('fetching 2 of 8 packages, 4.0 MB, 2.0 MB/s');
  expect(describeProgress(fetching(0, 9e6), 2)).toBe('fetching 2 of 8 packages, 0.0 of 9.0 MB');
});
