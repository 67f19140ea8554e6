/** Booleans in settings: the words that count, and everything else that does not. */
import { expect, test } from 'vitest';
import { parseSwitch } from '../../../src/policy/switches.ts';

test.each([...['1', 'true', 'yes', 'on', 'TRUE', 'Yes', 'oN', ' true ', 'true\n', true, 1]])(
  '%j is on',
  (value) => {
    expect(parseSwitch(value)).toBe(true);
  },
);

test.each([...['0', 'false', 'no', 'off', 'FALSE', 'No', 'oFF', '\toff', false, 0]])(
  '%j is off',
  (value) => {
    expect(parseSwitch(value)).toBe(false);
  },
);

test.each([
  ...['', ' ', 'maybe', 'truthy', 'y', 'n', 't', '2', '-1', '01', '1.0', 'true false', 'null'],
  ...[2, -1, Number.NaN, null, undefined, {}, [], [true], ['true'], 'ＴＲＵＥ'],
])('%j is no boolean', (value) => {
  expect(parseSwitch(value)).toBeUndefined();
});
