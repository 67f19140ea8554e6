/** Lays out text in columns and lines, for a terminal of any width. */
import { showName } from './messages.ts';

/**
 * Breaks a text at spaces into lines of a width. A longer word is broken too, if it must fit.
 *
 * @param isExact whether no line may be longer
 * @example wrap('one two three', 7) // ['one two', 'three']
 */
export function wrap(text: string, width: number, isExact = false): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
    for (; isExact && line.length > width; line = line.slice(width)) {
      lines.push(line.slice(0, width));
    }
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

/** Columns below which a cell is not narrowed. */
const LEAST = 5;
const GAP = 2;

/**
 * Lays out a table: pads every column to its widest cell, without trailing spaces. Where it is too wide, the
 * widest columns get narrower, and their cells go on in the next line. Escapes invisible characters.
 *
 * @example formatTable([['a', 'b'], ['one', 'two']]) // 'a    b\none  two'
 */
export function formatTable(
  texts: readonly string[][],
  { width = Number.POSITIVE_INFINITY, paint = (text) => text }: Layout = {},
): string {
  const rows = texts.map((row) => row.map(showName));
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  const room = width - GAP * (widths.length - 1);
  while (widths.reduce((sum, each) => sum + each, 0) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    const before = widths[widest] ?? 0;
    if (before <= LEAST) break;
    widths[widest] = before - 1;
  }
  return rows
    .flatMap((row, at) => {
      const cells = row.map((cell, column) => wrap(cell, widths[column] ?? 0, true));
      const height = Math.max(...cells.map((cell) => cell.length));
      return Array.from({ length: height }, (_, line) => {
        const parts = cells.map((cell) => cell[line] ?? '');
        const last = parts.findLastIndex((text) => text !== '');
        return parts
          .slice(0, last + 1)
          .map((text, column) => {
            const padding = column === last ? 0 : (widths[column] ?? 0) - text.length + GAP;
            return (text === '' ? '' : paint(text, at, column)) + ' '.repeat(padding);
          })
          .join('');
      });
    })
    .join('\n');
}
