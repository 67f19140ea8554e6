/** The text of `annex list`: a table, and the number of features in each state. */
import { wrap } from '../../base/layout.ts';
import { cleanText, formatAge, formatSize, NOT_HASHED } from '../shared/format.ts';
import type { ListedFeature } from '../shared/listed.ts';
import { composeTable } from '../shared/table.ts';
import { findWidth, type Style } from '../shared/terminal.ts';

const HEAD = [
  ...['feature', 'package', 'range', 'locked', 'installed'],
  ...['where', 'size', 'age', 'why'],
];
/** On a terminal the packages of a feature are below it. */
const NARROW_HEAD = ['feature', 'range', 'locked', 'installed', 'where', 'size', 'age'];

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
  const head = width === undefined ? HEAD : NARROW_HEAD;
  const lines = rows.flatMap((row) =>
    width === undefined ? toLines(row, now) : toNarrowLines(row, now),
  );
  const where = head.indexOf('where');
  const table = composeTable(head, lines, (row, column) =>
    column === where ? COLORS[lines[row]?.[where] ?? ''] : undefined,
  );
  const parts = rows.length === 0 ? [] : [table];
  if (width !== undefined) {
    const reasons = rows.flatMap((row) => {
      const reason = describeReason(row, (why, code) => `${why} (${code})`);
      return reason === '' ? [] : wrap(cleanText(`${row.feature}: ${reason}`), width);
    });
    if (reasons.length > 0) parts.push(reasons.join('\n'));
  }
  return [...parts, counts.join(', ')].join('\n\n');
}

/** One line for each package. Size, age and reason, which belong to the feature, are on the first. */
function toLines(row: ListedFeature, now: number): string[][] {
  const { feature, packages, where } = row;
  const [first = ['-', '-', '-', '-', where], ...rest] = Object.entries(packages).map(toCells);
  const why = describeReason(row, (reason, code) => `${code}: ${reason}`);
  return [
    [feature, ...first, ...measure(row, now), why],
    ...rest.map((line) => ['', ...line, '', '', '']),
  ].map((line) => line.map(cleanText));
}

/** A feature that the next import installs, as after an upgrade, has no error: the remedy replaces its code. */
function describeReason(
  { state, refusal, isUnhashed }: ListedFeature,
  withCode: (reason: string, code: string) => string,
): string {
  if (refusal === undefined) return isUnhashed ? NOT_HASHED : '';
  const { reason, code, hint } = refusal;
  return state === 'missing' ? `${reason}. Now: ${hint}` : withCode(reason, code);
}

/** A feature with one package of the same name takes one line. */
function toNarrowLines(row: ListedFeature, now: number): string[][] {
  const { feature, packages, where } = row;
  const lines = Object.entries(packages).map(toCells);
  const [[name, ...cells] = ['-']] = lines;
  const lonely = lines.length === 1 && name === feature ? cells : undefined;
  const own = [feature, ...(lonely ?? ['', '', '', where]), ...measure(row, now)];
  const below = lonely ? [] : lines.map(([first, ...rest]) => [`  ${first}`, ...rest, '', '']);
  return [own, ...below].map((line) => line.map(cleanText));
}

const toCells = ([name, one]: [string, ListedFeature['packages'][string]]): string[] => [
  ...[name, one.range, one.locked ?? '-', one.version ?? '-', one.where],
];

/** Size and age of an entry. */
const measure = ({ bytes, published }: ListedFeature, now: number): string[] => [
  bytes === undefined ? '' : formatSize(bytes),
  published === undefined ? '' : formatAge(now - Date.parse(published)),
];
