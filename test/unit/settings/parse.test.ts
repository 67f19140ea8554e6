/** Parsers of single settings: switches, and similar names. */
import { expect, test } from 'vitest';
import { isNear, parseSwitch } from '../../../src/settings/parse.ts';

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
])('%j is not a switch', (value) => {
  expect(parseSwitch(value)).toBeUndefined();
});

test.each([
  ['allowInstall', 'allowInstalls', true],
  ['ALLOW_INSTALLS', 'allowInstalls', true],
  ['ANNEX_ALLOW_INSTALL', 'ANNEX_ALLOW_INSTALLS', true],
  ['alowinstal', 'allowInstalls', false],
  ['allow', 'allowInstalls', true],
  ['locked', 'blocked', true],
  ['lock', 'blocked', false],
  ['', 'blocked', false],
  ['verifyy', 'verify', true],
  ['mirrors', 'importers', false],
])('%j is similar to %j: %j', (name, known, isIt) => {
  expect(isNear(name, known)).toBe(isIt);
});
