/** AnnexError, and how it explains an error of Node. */
import { describe, expect, test } from 'vitest';
import { AnnexError, explain, toRefusal } from '../../../src/base/error.ts';
import { composeMessage, composeNotice } from '../../../src/base/messages.ts';
import type { Refusal } from '../../../src/types.ts';
import { context, refusal } from '../../support/refusal.ts';

test('an AnnexError carries code, feature, specifier, hint and cause', () => {
  const cause = new Error('below');
  const error = new AnnexError(refusal, context, { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'AnnexError',
    code: 'ANNEX_OFFLINE',
    feature: 'search.exa',
    specifier: 'exa-js',
    hint: 'annex install search.exa',
    cause,
    message: composeMessage(refusal, context),
  });
});

test('an AnnexError without a context carries its refusal, and its message names only that', () => {
  const error = new AnnexError(refusal);
  expect(error.refusal).toBe(refusal);
  expect(error).toMatchObject({
    feature: '',
    specifier: undefined,
    message: composeNotice(refusal),
  });
  expect(Object.keys(error)).not.toContain('refusal');
});

test('a thrown AnnexError gives its refusal, any other value the fallback', () => {
  const fallback: Refusal = { code: 'ANNEX_TIMEOUT', reason: 'no answer', hint: 'wait' };
  expect(toRefusal(new AnnexError(refusal), () => fallback)).toBe(refusal);
  const foreign = Object.assign(new Error('text'), { name: 'AnnexError', code: 'ANNEX_DENIED' });
  for (const thrown of [foreign, new Error('text'), undefined, null, 'text']) {
    expect(toRefusal(thrown, () => fallback)).toBe(fallback);
  }
});

test('an AnnexError from another copy of annex or another thread is recognized, and no other error', () => {
  const foreign = Object.assign(new Error('text'), { name: 'AnnexError', code: 'ANNEX_DENIED' });
  expect(new AnnexError(refusal, context)).toBeInstanceOf(AnnexError);
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

describe("explaining Node's own error", () => {
  const cause = new AnnexError(refusal, context);

  test('the same object is thrown with its code; its message and stack gain one line', () => {
    const error = Object.assign(new Error("Cannot find package 'exa-js'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const { stack = '' } = error;
    expect(explain(error, cause)).toBe(error);
    expect(error).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND', cause });
    expect(error.message).toBe(`Cannot find package 'exa-js'\n${cause.message}`);
    expect(error.stack?.split('\n').length).toBe(stack.split('\n').length + 1);
  });

  test('an error that already has an explanation does not change', () => {
    const error = new Error('x', { cause: 'before' });
    expect(explain(error, cause)).toBe(error);
    expect(error).toMatchObject({ message: 'x', cause: 'before' });
  });

  test.each(['text', null, undefined, 5])('%j is rethrown unchanged', (thrown) => {
    expect(explain(thrown, cause)).toBe(thrown);
  });
});

test.each(['a list', 'nothing', 'an error'])('an error whose stack is %s is explained', (what) => {
  const error = new Error('Cannot find package');
  const get = () => {
    if (what === 'an error') throw new Error('no stack');
    return what === 'a list' ? [] : undefined;
  };
  Object.defineProperty(error, 'stack', { get });
  const cause = new AnnexError(refusal, context);
  expect(explain(error, cause)).toBe(error);
  expect(error.message).toBe(`Cannot find package\n${cause.message}`);
  expect(error.cause).toBe(cause);
});

test('an error whose message is not a string gets only the cause', () => {
  const error = Object.assign(new Error(), { message: { toString: 1 } });
  const cause = new AnnexError(refusal, context);
  expect(explain(error, cause)).toHaveProperty('cause', cause);
});

test('an error with a read-only stack, and a frozen one, are explained as far as possible', () => {
  const cause = new AnnexError(refusal, context);
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
