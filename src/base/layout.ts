/** Lays out text in columns and lines, for a terminal of any width. */
import { showName } from './messages.ts';

/**
 * Breaks a text at spaces into lines of a width. A longer word is a line of its own.
 *
 * @example wrap('one two three', 7) // ['one two', 'three']
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** How a table is laid out. */
export interface Layout {
  /** Columns of the terminal; without it, each row has one line. */
  width?: number | undefined;
  /** Colours a text of a cell. */
  paint?: (text: string, row: number, column: number) => string;
}

/** Spaces between two columns. */
const GAP = 2;

/**
 * Lays out a table: pads every column to its widest cell, without trailing spaces. Escapes invisible characters.
 *
 * With a width, a column whose cells are all empty is left out. Where the table is too wide, the widest columns get
 * narrower, and their cells go on in the next line; words are not broken. Where that is not enough, each row becomes a
 * block with one cell a line.
 *
 * @example formatTable([['a', 'b'], ['one', 'two']]) // 'a    b\none  two'
 */
export function formatTable(
  texts: readonly string[][],
  { width = Number.POSITIVE_INFINITY, paint = (text) => text }: Layout = {},
): string {
  const rows = texts.map((row) => row.map(showName));
  const columns = (rows[0] ?? [])
    .map((_, column) => column)
    .filter((column) => width === Number.POSITIVE_INFINITY || hasCells(rows, column));
  const widths = narrow(
    columns.map((column) => measure(rows, column, (cell) => cell.length)),
    columns.map((column) => measure(rows, column, measureWord)),
    width,
  );
  if (widths === undefined) return formatBlocks(rows, columns, { width, paint });
  return rows
    .flatMap((row, at) => {
      const cells = columns.map((column, place) => wrapCell(row[column] ?? '', widths[place] ?? 0));
      const height = Math.max(...cells.map((cell) => cell.length));
      return Array.from({ length: height }, (_, line) => {
        const parts = cells.map((cell) => cell[line] ?? '');
        const last = parts.findLastIndex((text) => text !== '');
        return parts
          .slice(0, last + 1)
          .map((text, place) => {
            const padding = place === last ? 0 : (widths[place] ?? 0) - text.length + GAP;
            const painted = text === '' ? '' : paint(text, at, columns[place] ?? 0);
            return painted + ' '.repeat(padding);
          })
          .join('');
      });
    })
    .join('\n');
}

const hasCells = (rows: readonly string[][], column: number): boolean =>
  rows.slice(1).some((row) => row[column] !== '');

const measure = (
  rows: readonly string[][],
  column: number,
  length: (cell: string) => number,
): number => rows.reduce((most, row) => Math.max(most, length(row[column] ?? '')), 0);

const findIndent = (cell: string): string => /^ */.exec(cell)?.[0] ?? '';

const measureWord = (cell: string): number =>
  findIndent(cell).length +
  Math.max(
    ...cell
      .trim()
      .split(' ')
      .map((word) => word.length),
  );

/** Keeps the spaces at the start of a cell, in each line. */
function wrapCell(cell: string, width: number): string[] {
  const indent = findIndent(cell);
  return wrap(cell.slice(indent.length), width - indent.length).map((line) =>
    line === '' ? '' : indent + line,
  );
}

/** Narrows the widest columns first, none below its longest word; undefined where they do not fit. */
function narrow(widest: number[], least: number[], width: number): number[] | undefined {
  const room = width - GAP * (widest.length - 1);
  const widths = [...widest];
  for (let sum = widths.reduce((all, each) => all + each, 0); sum > room; sum--) {
    const open = widths.map((each, place) => (each > (least[place] ?? 0) ? each : 0));
    const most = Math.max(...open);
    if (most === 0) return undefined;
    widths[open.indexOf(most)] = most - 1;
  }
  return widths;
}

/** A block for each row, with the heads on the left. */
function formatBlocks(
  [head = [], ...rows]: readonly string[][],
  columns: number[],
  { width, paint }: Required<Layout> & { width: number },
): string {
  const left = Math.max(...columns.map((column) => (head[column] ?? '').length)) + GAP;
  const blocks = rows.map((row, at) =>
    columns
      .filter((column) => row[column] !== '')
      .flatMap((column) => {
        const name = head[column] ?? '';
        const painted = paint(name, 0, column) + ' '.repeat(left - name.length);
        return wrap((row[column] ?? '').trim(), width - left).map(
          (line, first) => (first === 0 ? painted : ' '.repeat(left)) + paint(line, at + 1, column),
        );
      })
      .join('\n'),
  );
  return blocks.join('\n\n');
}
