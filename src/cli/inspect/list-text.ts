/** The text of `annex list`: a table, and the number of features in each state. */
import { formatTable, type Layout, wrap } from '../../base/layout.ts';
import { cleanText, formatAge, formatSize } from '../shared/format.ts';
import type { ListedFeature } from '../shared/listed.ts';
import { findWidth, paint, type Style } from '../shared/terminal.ts';

const HEAD = [
  ...['feature', 'package', 'range', 'locked', 'installed'],
  ...['where', 'size', 'age', 'why'],
];
const WHERE = HEAD.indexOf('where');

/** Colours of states that are neither good nor bad have none. */
const COLORS: Partial<Record<string, Style>> = {
  core: 'green',
  store: 'green',
  layer: 'green',
  'core outside range': 'yellow',
  missing: 'yellow',
  denied: 'red',
  failed: 'red',
};

/**
 * On a terminal the reasons, which are long, are below the table.
 *
 * @param summary states to the number of features, those that are not shown included
 * @param now ms since the epoch
 */
export function formatList(
  rows: readonly ListedFeature[],
  summary: Record<string, number>,
  now: number,
): string {
  const width = findWidth(1);
  const counts = Object.entries(summary).map(([state, count]) => `${count} ${state}`);
  const parts = rows.length === 0 ? [] : [composeTable(rows, width, now)];
  if (width !== undefined) {
    const reasons = rows.flatMap(({ feature, refusal }) =>
      refusal === undefined
        ? []
        : wrap(cleanText(`${feature}: ${refusal.reason} (${refusal.code})`), width),
    );
    if (reasons.length > 0) parts.push(reasons.join('\n'));
  }
  return [...parts, counts.join(', ')].join('\n\n');
}

function composeTable(
  rows: readonly ListedFeature[],
  width: number | undefined,
  now: number,
): string {
  const lines = [HEAD, ...rows.flatMap((row) => toLines(row, now))];
  const layout: Layout = {
    width,
    paint: (text, row, column) => {
      const color = column === WHERE ? COLORS[lines[row]?.[WHERE] ?? ''] : undefined;
      return row === 0 ? paint('bold', text) : color === undefined ? text : paint(color, text);
    },
  };
  const shown = width === undefined ? lines : lines.map((line) => line.slice(0, -1));
  return formatTable(shown, layout);
}

/** One line for each package. Size, age and reason, which belong to the feature, are on the first. */
function toLines(row: ListedFeature, now: number): string[][] {
  const { feature, packages, where, bytes, published, refusal } = row;
  const lines = Object.entries(packages).map(([name, one]) => [
    ...[name, one.range, one.locked ?? '-', one.version ?? '-', one.where],
  ]);
  const [first = ['-', '-', '-', '-', where], ...rest] = lines;
  const size = bytes === undefined ? '' : formatSize(bytes);
  const age = published === undefined ? '' : formatAge(now - Date.parse(published));
  const why = refusal === undefined ? '' : `${refusal.code}: ${refusal.reason}`;
  return [
    [feature, ...first, size, age, why],
    ...rest.map((line) => ['', ...line, '', '', '']),
  ].map((line) => line.map(cleanText));
}
