/** Tables and paragraphs for a terminal. */
import { expect, test } from 'vitest';
import { formatTable, wrap } from '../../../src/base/layout.ts';

test('a text is broken at spaces, and within a word only if it must fit', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('a /opt/data/annex b', 6)).toEqual(['a', '/opt/data/annex', 'b']);
  expect(wrap('a /opt/data/annex b', 6, true)).toEqual(['a', '/opt/d', 'ata/an', 'nex b']);
  expect(wrap('', 6)).toEqual(['']);
});

const rows = [
  ['feature', 'package', 'where'],
  ['search.firecrawl', '@mendable/firecrawl-js', 'store'],
  ['', 'zod', ''],
];

test('without a width, each row has one line', () => {
  expect(formatTable(rows)).toBe(
    [
      'feature           package                 where',
      'search.firecrawl  @mendable/firecrawl-js  store',
      '                  zod',
    ].join('\n'),
  );
});

test('the widest columns get narrower until the table fits', () => {
  expect(formatTable(rows, { width: 36 })).toBe(
    [
      'feature        package         where',
      'search.firecr  @mendable/fire  store',
      'awl            crawl-js',
      '               zod',
    ].join('\n'),
  );
  for (const width of [24, 30, 40, 50]) {
    const lines = formatTable(rows, { width }).split('\n');
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  }
});

test('colours count for no column', () => {
  const paint = (text: string, row: number, column: number) => `<${row}${column}>${text}`;
  const painted = formatTable(
    [
      ['a', 'b'],
      ['one', ''],
    ],
    { paint },
  );
  expect(painted).toBe('<00>a    <01>b\n<10>one');
});
