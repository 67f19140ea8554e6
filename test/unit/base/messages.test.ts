/** Messages: their order, and that each is one line. */
import { describe, expect, test } from 'vitest';
import { composeMessage, composeNotice, showName, showOutput } from '../../../src/base/messages.ts';
import { context, refusal } from '../../support/refusal.ts';

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

  test('bidirectional and invisible characters are escaped in it', () => {
    const hostile = { ...refusal, reason: 'safe\u202Egpj\u200B.exe' };
    expect(composeNotice(hostile)).toContain('safe\\u202egpj\\u200b.exe');
  });
});

test.each([
  ['lib/index.js', 'lib/index.js'],
  ['two\nlines', 'two\\nlines'],
  ['red\x1b[31m', 'red\\u001b[31m'],
  ['\x7f\u0085', '\\u007f\\u0085'],
  ['safe\u202Egpj.exe\u200B\uFEFF', 'safe\\u202egpj.exe\\u200b\\ufeff'],
  ['tag\u{E0041}\u2028', 'tag\\udb40\\udc41\\u2028'],
  ['é 日本', 'é 日本'],
])('the name %j is shown on one line', (name, shown) => {
  expect(showName(name)).toBe(shown);
});

describe('an output', () => {
  test('keeps its lines, tabs and styles, and nothing else that is invisible', () => {
    const styled = '\x1b[1mhead\x1b[22m\n\x1b[32mok\x1b[39m\tx';
    expect(showOutput(styled)).toBe(styled);
    const hostile = 'a\x1b[2Jb\x1b[8mc\x1b]0;t\x07d\u009B2Je\rf\u2066g';
    expect(showOutput(hostile)).toBe(
      'a\\u001b[2Jb\\u001b[8mc\\u001b]0;t\\u0007d\\u009b2Je\\rf\\u2066g',
    );
  });

  test('that is JSON stays the same JSON', () => {
    const value = { 'a\u202E': ['\x7f\u0085', '\u{E0041}', '\x1b[1m', '\n\t'] };
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      const shown = showOutput(text);
      expect(JSON.parse(shown)).toEqual(value);
      expect(shown).not.toMatch(/[\x7f-\x9f\p{Cf}]/u);
    }
  });
});
