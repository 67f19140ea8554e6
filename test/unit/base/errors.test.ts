/** Messages: their order, and what becomes of errors that are not ours. */
import { describe, expect, test } from 'vitest';
import {
  AnnexError,
  codeOf,
  composeMessage,
  composeNotice,
  explain,
  messageOf,
  refuseByFileError,
  showName,
} from '../../../src/base/errors.ts';
import type { Refusal } from '../../../src/types.ts';

const refusal: Refusal = {
  code: 'ANNEX_OFFLINE',
  reason: 'registry.corp timed out after 30 s',
  hint: 'annex install search.exa',
  state: 'Next try at 12:04:30 UTC; other features unaffected',
};
const circumstances = { feature: 'search.exa', specifier: 'exa-js', askedBy: 'dist/search.js' };

describe('the order of a message', () => {
  test('what, code, why, asked by, state, what to do', () => {
    expect(composeMessage(refusal, circumstances)).toBe(
      'annex: search.exa unavailable (ANNEX_OFFLINE): registry.corp timed out after 30 s, ' +
        'asked by dist/search.js. Next try at 12:04:30 UTC; other features unaffected. ' +
        'Now: annex install search.exa',
    );
  });

  test('nobody asked, and no state of its own', () => {
    const { state: _, ...plain } = refusal;
    expect(composeMessage(plain, { feature: 'search.exa' })).toBe(
      'annex: search.exa unavailable (ANNEX_OFFLINE): registry.corp timed out after 30 s. ' +
        'Other features unaffected. Now: annex install search.exa',
    );
  });

  test('a notice: what, code, what to do', () => {
    expect(composeNotice(refusal)).toBe(
      'annex: registry.corp timed out after 30 s (ANNEX_OFFLINE). Now: annex install search.exa',
    );
  });

  test('every message is one line, whatever is in it', () => {
    const hostile = { ...refusal, reason: 'first\nsecond\r\nthird\u001b[2J', hint: 'a\nb' };
    const where = { feature: 'evil\nfeature', askedBy: '/a\nb.js' };
    const printed = [composeMessage(hostile, where), composeNotice(hostile)];
    for (const text of printed) expect(text).not.toMatch(/\p{Cc}/u);
  });
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

test.each(['a list', 'nothing', 'an error'])('an error whose stack is %s is explained', (what) => {
  const error = new Error('Cannot find package');
  const get = () => {
    if (what === 'an error') throw new Error('no stack');
    return what === 'a list' ? [] : undefined;
  };
  Object.defineProperty(error, 'stack', { get });
  const cause = new AnnexError(refusal, circumstances);
  expect(explain(error, cause)).toBe(error);
  expect(error.message).toBe(`Cannot find package\n${cause.message}`);
  expect(error.cause).toBe(cause);
});

test('an error whose message is no text gets the cause alone', () => {
  const error = Object.assign(new Error(), { message: { toString: 1 } });
  const cause = new AnnexError(refusal, circumstances);
  expect(explain(error, cause)).toHaveProperty('cause', cause);
});

test('an AnnexError carries code, feature, specifier, hint and cause', () => {
  const cause = new Error('below');
  const error = new AnnexError(refusal, circumstances, { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'AnnexError',
    code: 'ANNEX_OFFLINE',
    feature: 'search.exa',
    specifier: 'exa-js',
    hint: 'annex install search.exa',
    cause,
    message: composeMessage(refusal, circumstances),
  });
});

describe('other errors', () => {
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
    ['ENOSPC', 'ANNEX_NO_SPACE', /no space is left/, /make room/],
    ['EDQUOT', 'ANNEX_NO_SPACE', /quota/, /quota raised/],
    ['EROFS', 'ANNEX_STORE_UNUSABLE', /mounted read-only/, /mount it writable/],
    ['EIO', 'ANNEX_STORE_UNUSABLE', /disk/, /kernel's log/],
    ['EMFILE', 'ANNEX_STORE_UNUSABLE', /too many files are open/, /ulimit -n/],
    ['ENFILE', 'ANNEX_STORE_UNUSABLE', /too many files are open/, /fs\.file-max/],
    ['EXDEV', 'ANNEX_STORE_UNUSABLE', /different file systems/, /mount one volume/],
    ['EFBIG', 'ANNEX_STORE_UNUSABLE', /larger than files may be/, /ulimit -f/],
    ['EACCES', 'ANNEX_STORE_UNUSABLE', /cannot be used: EACCES/, /user of this process/],
    ['EPERM', 'ANNEX_STORE_UNUSABLE', /cannot be used: EPERM/, /user of this process/],
    ['ELOOP', 'ANNEX_STORE_UNUSABLE', /cannot be used: ELOOP/, /set ANNEX_STORE/],
  ])(
    'a file system that says %s is %s: what it means, where, and what helps',
    (code, ...wanted) => {
      const facts = { code, syscall: 'rename', path: '/opt/store/a', dest: '/opt/store/b' };
      const { reason, hint, ...rest } = refuseByFileError(
        Object.assign(new Error(`${code}: no`), facts),
        '/opt/store',
      );
      const [expected, why, help] = wanted;
      expect(rest.code).toBe(expected);
      expect(reason).toMatch(/^\/opt\/store cannot be used: /);
      expect(reason).toMatch(why);
      expect(reason).toContain(`${code} rename /opt/store/a /opt/store/b`);
      expect(hint).toMatch(help);
    },
  );

  test('an error of the file system that names no path, and one that is none', () => {
    const write = Object.assign(new Error('EIO: i/o error'), { code: 'EIO', syscall: 'write' });
    expect(refuseByFileError(write, '/s').reason).toMatch(/^\/s cannot be used: .* \(EIO write\)$/);
    expect(refuseByFileError(new Error('a\nb'), '/s').reason).toBe('/s cannot be used: a');
    expect(refuseByFileError(undefined, '/s').reason).toBe('/s cannot be used: undefined');
  });
});

describe("explaining Node's own error", () => {
  const cause = new AnnexError(refusal, circumstances);

  test('the same object goes on with its code; its message and stack gain one line', () => {
    const error = Object.assign(new Error("Cannot find package 'exa-js'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const { stack = '' } = error;
    expect(explain(error, cause)).toBe(error);
    expect(error).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND', cause });
    expect(error.message).toBe(`Cannot find package 'exa-js'\n${cause.message}`);
    expect(error.stack?.split('\n').length).toBe(stack.split('\n').length + 1);
  });

  test('an error that is explained already stays as it is', () => {
    const error = new Error('x', { cause: 'before' });
    expect(explain(error, cause)).toBe(error);
    expect(error).toMatchObject({ message: 'x', cause: 'before' });
  });

  test.each(['text', null, undefined, 5])('%j is thrown on as it is', (thrown) => {
    expect(explain(thrown, cause)).toBe(thrown);
  });
});

test('an AnnexError of another copy or thread is one, and no other error is', () => {
  const foreign = Object.assign(new Error('text'), { name: 'AnnexError', code: 'ANNEX_DENIED' });
  expect(new AnnexError(refusal, circumstances)).toBeInstanceOf(AnnexError);
  expect(foreign).toBeInstanceOf(AnnexError);
  for (const other of [
    new Error('text'),
    Object.assign(new Error('text'), { code: 'ANNEX_DENIED' }),
    Object.assign(new Error('text'), { name: 'AnnexError' }),
    { name: 'AnnexError', code: 'ANNEX_DENIED' },
    undefined,
  ]) {
    expect(other).not.toBeInstanceOf(AnnexError);
  }
});

test('an error whose stack is read-only, and one that is frozen, are explained as far as they let', () => {
  const cause = new AnnexError(refusal, circumstances);
  const foreign = new Error('not found');
  Object.defineProperty(foreign, 'stack', { value: `Error: not found\n    at x`, writable: false });
  const explained = explain(foreign, cause) as Error;
  expect(explained).toBe(foreign);
  expect(explained.message).toBe(`not found\n${cause.message}`);
  expect(explained.stack).toBe(`Error: not found\n${cause.message}\n    at x`);
  expect(explained.cause).toBe(cause);
  const frozen = Object.freeze(new Error('not found'));
  expect(explain(frozen, cause)).toBe(frozen);
  expect(frozen.message).toBe('not found');
});

test.each([
  ['lib/index.js', 'lib/index.js'],
  ['two\nlines', 'two\\nlines'],
  ['red\x1b[31m', 'red\\u001b[31m'],
  ['\x7f\u0085', '\\u007f\\u0085'],
  ['é 日本', 'é 日本'],
])('the name %j is shown on one line', (name, shown) => {
  expect(showName(name)).toBe(shown);
});
