/** The text of `annex list`: a table, and the number of features in each state. */
import { wrap } from '../../base/layout.ts';
import { cleanText, formatAge, formatSize } from '../shared/format.ts';
import type { ListedFeature } from '../shared/listed.ts';
import { composeTable } from '../shared/table.ts';
import { findWidth, type Style } from '../shared/terminal.ts';

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
  const lines = rows.flatMap((row) => toLines(row, now));
  const columns = width === undefined ? HEAD.length : HEAD.indexOf('why');
  const table = composeTable(
    HEAD.slice(0, columns),
    lines.map((line) => line.slice(0, columns)),
    (row, column) => (column === WHERE ? COLORS[lines[row]?.[WHERE] ?? ''] : undefined),
  );
  const parts = rows.length === 0 ? [] : [table];
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
