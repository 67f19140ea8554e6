/** Composes the tables that commands print. */
import { formatTable } from '../../base/layout.ts';
import { findWidth, paint, type Style } from './terminal.ts';

/**
 * Composes a table for stdout with a bold head. On a terminal it fits the width; elsewhere a row is one line.
 *
 * @param findStyle the style of a cell; rows, without the head, and columns start at 0
 * @example composeTable(['name', 'size'], [['zod', '1.2 MB']]) // 'name  size\nzod   1.2 MB'
 */
export const composeTable = (
  head: string[],
  rows: readonly string[][],
  findStyle: (row: number, column: number) => Style | undefined = () => undefined,
): string =>
  formatTable([head, ...rows], {
    width: findWidth(1),
    paint: (text, row, column) => {
      const style = row === 0 ? 'bold' : findStyle(row - 1, column);
      return style === undefined ? text : paint(style, text);
    },
  });
