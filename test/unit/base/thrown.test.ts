/** Code and message of thrown values. */
import { expect, test } from 'vitest';
import { codeOf, messageOf } from '../../../src/base/thrown.ts';

test('the code of any thrown value', () => {
  expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
  for (const [errno, name] of [
    [-122, 'EDQUOT'],
    [-116, 'ESTALE'],
  ] as const) {
    for (const code of [`Unknown system error ${errno}`, 'UNKNOWN']) {
      expect(codeOf(Object.assign(new Error('x'), { code, errno }))).toBe(name);
    }
  }
  const hostile = { errno: { toString: () => expect.unreachable() } };
  for (const thrown of [new Error('x'), { code: 5 }, null, undefined, 'ENOENT', hostile]) {
    expect(codeOf(thrown)).toBeUndefined();
  }
});

test('the first line of the message of any thrown value', () => {
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
])('the message of %o is a string', (thrown, text) => {
  expect(messageOf(thrown)).toBe(text);
});
