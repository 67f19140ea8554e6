/** Texts of other people in a report: nothing in them is markup, and nothing is invisible. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { code, commas, html } from '../../../src/report/html.ts';
import { quote } from '../../../src/report/markdown.ts';
import { showText } from '../../../src/report/text.ts';

/** Reads the entities back. */
const decode = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

const CHARACTERS = [...'<>&"\'=/ aß字', '\u202E', '\0', '\n', '\uD800'];

test('a value is text, and a template in a template is HTML', () => {
  const name = `<img src=x onerror="alert('1')"> & more`;
  const text = '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more';
  expect(html`<p title="${name}">${code(name)}</p>`.html).toBe(
    `<p title="${text}"><code>${text}</code></p>`,
  );
});

test('undefined is nothing, numbers are digits, lists are joined', () => {
  expect(html`[${undefined}|${0}|${['a', html`<b>b</b>`]}|${commas(['x', 'y'])}]`.html).toBe(
    '[|0|a<b>b</b>|x, y]',
  );
});

test('whatever the text is, it contains no markup, and the entities give it back', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...CHARACTERS) }), (text) => {
      const { html: made } = html`${text}`;
      expect(made).not.toMatch(/[<>"']/);
      expect(decode(made)).toBe(showText(text));
    }),
  );
});

describe('showText', () => {
  test.each([
    ['a right-to-left override', 'safe\u202Egpj.exe', 'safe[U+202E]gpj.exe'],
    ['a right-to-left mark', 'a\u200Fb', 'a[U+200F]b'],
    ['bidirectional isolates', '\u2067x\u2069', '[U+2067]x[U+2069]'],
    ['a zero-width space', 'a\u200Bb', 'a[U+200B]b'],
    ['an escape sequence and a newline', '\u001B[31m\n', '[U+001B][31m[U+000A]'],
    ['a line separator', 'a\u2028b', 'a[U+2028]b'],
    ['a lone surrogate', 'a\uD800b', 'a[U+D800]b'],
    ['a letter without a shape', 'a\u3164b', 'a[U+3164]b'],
  ])('names %s', (_, text, shown) => {
    expect(showText(text)).toBe(shown);
  });

  test('leaves visible text of any language as it is', () => {
    expect(showText('Suche “alle” / Ä, поиск, 検索, חיפוש')).toBe(
      'Suche “alle” / Ä, поиск, 検索, חיפוש',
    );
  });

  test('shortens a long text, and removes credentials', () => {
    expect(showText('x'.repeat(2_000))).toBe(`${'x'.repeat(1_000)}…`);
    expect(showText('https://me:secret@registry.corp/')).toBe('https://***@registry.corp/');
  });
});

describe('quote', () => {
  test('uses a longer fence than any in the text', () => {
    expect(quote('exa-js')).toBe('`exa-js`');
    expect(quote('a`b')).toBe('``a`b``');
    expect(quote('`a``')).toBe('``` `a`` ```');
    expect(quote('')).toBe('');
  });

  test('whatever the text is, the fence ends where the text ends', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('`', 'a', '|', '\\', ' ', '\n') }), (text) => {
        const quoted = quote(text);
        if (quoted === '') return;
        const [fence = ''] = /^`+/.exec(quoted) ?? [];
        const inside = quoted.slice(fence.length, -fence.length);
        expect(quoted.endsWith(fence)).toBe(true);
        expect(inside.match(/`+/g) ?? []).not.toContain(fence);
        expect(inside.trim()).toBe(showText(text).trim());
      }),
    );
  });
});
