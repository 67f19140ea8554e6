/** Tables and paragraphs for a terminal. */
import { expect, test } from 'vitest';
import { formatTable, wrap } from '../../../src/base/layout.ts';

test('a text is broken at spaces, and never within a word', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('a /opt/data/annex b', 6)).toEqual(['a', '/opt/data/annex', 'b']);
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

test('the widest columns get narrower until the table fits, down to their longest word', () => {
  const table = [
    ['name', 'state', 'why'],
    ['zod', 'core outside range', 'the application ships another version'],
  ];
  expect(formatTable(table, { width: 40 })).toBe(
    [
      'name  state             why',
      'zod   core outside      the application',
      '      range             ships another',
      '                        version',
    ].join('\n'),
  );
});

test('where words do not fit side by side, each row is a block', () => {
  expect(formatTable(rows, { width: 36 })).toBe(
    [
      'feature  search.firecrawl',
      'package  @mendable/firecrawl-js',
      'where    store',
      '',
      'package  zod',
    ].join('\n'),
  );
  for (const width of [31, 36, 49]) {
    const lines = formatTable(rows, { width }).split('\n');
    expect(lines.filter((line) => line.length > width)).toEqual([]);
  }
});

test('with a width, a column without cells is left out, and colours are those of its neighbours', () => {
  const table = [
    ['name', 'note', 'size'],
    ['zod', '', '1 MB'],
  ];
  const paint = (text: string, _row: number, column: number) => `${column}${text}`;
  expect(formatTable(table, { width: 40, paint })).toBe('0name  2size\n0zod   21 MB');
  expect(formatTable(table)).toBe('name  note  size\nzod         1 MB');
});

test('spaces at the start of a cell stay', () => {
  expect(formatTable([['name'], ['one'], ['  two three']], { width: 8 })).toBe(
    'name\none\n  two\n  three',
  );
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
