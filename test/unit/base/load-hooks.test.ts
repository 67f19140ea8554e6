/** Versions of Node on which annex registers a load hook. */
import { expect, test } from 'vitest';
import { canWatchLoads } from '../../../src/base/load-hooks.ts';

test('a load hook is registered where it does not change imported CommonJS', () => {
  const sound = ['24.18.0', '24.21.0', '26.2.0', '26.10.0', '27.0.0', '30.1.2'];
  const other = [
    '20.19.0',
    '22.15.0',
    '22.23.3',
    '24.0.0',
    '24.17.9',
    '25.9.0',
    '26.0.0',
    '26.1.1',
  ];
  expect([...sound, ...other].filter(canWatchLoads)).toEqual(sound);
});
