/** Messages: their order, and that each is one line. */
import { describe, expect, test } from 'vitest';
import { composeMessage, composeNotice, showName } from '../../../src/base/messages.ts';
import type { Refusal } from '../../../src/types.ts';

const refusal: Refusal = {
  code: 'ANNEX_OFFLINE',
  reason: 'registry.corp timed out after 30 s',
  hint: 'annex install search.exa',
  state: 'Next try at 12:04:30 UTC; other features unaffected',
};
const context = { feature: 'search.exa', specifier: 'exa-js', asker: 'dist/search.js' };

describe('the order of a message', () => {
  test('subject, code, reason, importing file, state, hint', () => {
    expect(composeMessage(refusal, context)).toBe(
      'annex: search.exa unavailable (ANNEX_OFFLINE): registry.corp timed out after 30 s, ' +
        'asked by dist/search.js. Next try at 12:04:30 UTC; other features unaffected. ' +
        'Now: annex install search.exa',
    );
  });

  test('without an importing file, and with the default state', () => {
    const { state: _, ...plain } = refusal;
    expect(composeMessage(plain, { feature: 'search.exa' })).toBe(
      'annex: search.exa unavailable (ANNEX_OFFLINE): registry.corp timed out after 30 s. ' +
        'Other features unaffected. Now: annex install search.exa',
    );
  });

  test('a notice: reason, code, hint', () => {
    expect(composeNotice(refusal)).toBe(
      'annex: registry.corp timed out after 30 s (ANNEX_OFFLINE). Now: annex install search.exa',
    );
  });

  test('every message is one line, whatever it contains', () => {
    const hostile = { ...refusal, reason: 'first\nsecond\r\nthird\u001b[2J', hint: 'a\nb' };
    const where = { feature: 'evil\nfeature', asker: '/a\nb.js' };
    const printed = [composeMessage(hostile, where), composeNotice(hostile)];
    for (const text of printed) expect(text).not.toMatch(/\p{Cc}/u);
  });
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
