/** What is read of values that were thrown. */
import { expect, test } from 'vitest';
import { codeOf, messageOf } from '../../../src/base/thrown.ts';

test('the code of whatever was thrown', () => {
  expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
  for (const code of ['Unknown system error -122', 'UNKNOWN']) {
    expect(codeOf(Object.assign(new Error('x'), { code, errno: -122 }))).toBe('EDQUOT');
  }
  for (const thrown of [new Error('x'), { code: 5 }, null, undefined, 'ENOENT']) {
    expect(codeOf(thrown)).toBeUndefined();
  }
});

test('the message of whatever was thrown, its first line', () => {
  expect(messageOf(new Error('one\ntwo'))).toBe('one');
  expect([messageOf('text'), messageOf(null), messageOf(undefined)]).toEqual([
    'text',
    'null',
    'undefined',
  ]);
});

test.each([
  [new Error('text'), 'text'],
  [Object.assign(new Error(), { message: 5 }), 'no message'],
  [Object.create(null), 'no message'],
  [undefined, 'undefined'],
  [Symbol('x'), 'Symbol(x)'],
])('a message of %o is a text', (thrown, text) => {
  expect(messageOf(thrown)).toBe(text);
});
