/** The help of a code has the text of its section of docs/errors.md, without Markdown. */
import { expect, test } from 'vitest';
import { composeCode, readCodes } from '../../../src/cli/table/help-code.ts';
import { readDocument } from '../../support/documents.ts';

const look = { width: 60, head: (title: string) => `<${title}>` };
const codes = readCodes(new URL('../../../docs/errors.md', import.meta.url).pathname);

/** The words of a text, without the marks of Markdown and of `look`. */
const listWords = (text: string): string[] => text.match(/[\p{L}\p{N}]+/gu) ?? [];

test('every code has a section, and the help of a code ends before the next one', () => {
  expect([...codes.keys()]).toEqual(
    [...readDocument('docs/errors.md').matchAll(/^## (ANNEX_\w+)$/gm)].map(([, code]) => code),
  );
  for (const [code, section] of codes) {
    const text = composeCode(section, look);
    expect(text.startsWith(`<${code}>\n\n<`)).toBe(true);
    expect(text.match(/<ANNEX_\w+>/g)).toEqual([`<${code}>`]);
  }
});

test.each([...codes])('the help of %s has all its words, within the width', (_, section) => {
  const text = composeCode(section, look);
  expect(text).not.toMatch(/\]\(|^[#|]/m);
  const lines = text.split('\n').filter((line) => line.includes(' '));
  expect(lines.filter((line) => line.replace(/[<>]/g, '').length > 60)).toEqual([]);
  // The path of the page can make this paragraph longer than a line.
  const [body = ''] = text.split(/\n\nThis\sis\sa\ssection\sof\s/);
  const links = section.replace(/\[([^\]]+)\]\(([^)#]+)[^)]*\)/g, (_link, name, file) =>
    name === file ? name : `${name} ${file}`,
  );
  const rows = links.replace(/^\|.*\|\n\|[-|]+\|$/gm, '');
  expect(listWords(body)).toEqual(listWords(rows));
});

test('a heading is a title, and a row of a table an item', () => {
  const section = [
    'ANNEX_X',
    '',
    '### `one ...`, `two`',
    '',
    'Text of',
    'two lines: see [lock.md](lock.md#x), [states](api.md).',
    '',
    '| a | b |',
    '|---|---|',
    '| `c` (E) | d |',
    '',
  ].join('\n');
  expect(
    composeCode(section, { ...look, width: 30 })
      .split('\n')
      .slice(0, 8),
  ).toEqual([
    ...['<ANNEX_X>', '', '<one ..., two>', ''],
    ...['  Text of two lines: see', '  lock.md, states (api.md).', '', '  - `c` (E): d'],
  ]);
});
