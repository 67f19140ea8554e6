/** Sizes of entries, some of which cannot be measured. */
import { expect, test } from 'vitest';
import { addUp, formatTotal } from '../../../src/cli/shared/total.ts';

test.each([
  ['no entry', [], '0.0 MB'],
  ['measured entries', [{ bytes: 1_200_000 }, { bytes: 34_567 }], '1.2 MB'],
  ['one of them is not measured', [{ bytes: 1_200_000 }, {}], 'at least 1.2 MB'],
  ['none of them is measured', [{}, {}], 'unknown'],
])('%s', (_, entries, text) => {
  expect(formatTotal(addUp(entries))).toBe(text);
});
