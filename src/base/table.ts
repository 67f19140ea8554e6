/** Lays out a table of text. */

/** Pads every column to its widest cell; one line a row, without trailing spaces. */
export function formatTable(rows: readonly string[][]): string {
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (row: string[]): string =>
    row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  ');
  return rows.map((row) => pad(row).trimEnd()).join('\n');
}
