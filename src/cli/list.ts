/** annex list */
import { createLookup } from '../app/lookup.ts';
import type { Made } from '../app/pin.ts';
import { formatTable, type Layout, wrap } from '../base/layout.ts';
import { chooseDepth } from '../resolve/thread.ts';
import { findStatus } from '../status/status.ts';
import { createFinder } from '../store/finder.ts';
import type { FeatureStatus } from '../types.ts';
import { type Command, formatSize, measureEntry, readSettings } from './command.ts';
import { warnOfCopies } from './core-copies.ts';
import { findWidth, paint, type Style } from './terminal.ts';

/** A feature, the size of its entry, and when and with what it was locked. */
type ListedFeature = FeatureStatus & { bytes?: number; lock?: Made };

const HEAD = ['feature', 'package', 'range', 'where', 'version', 'size', 'why'];
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

/** Lists every feature: its packages with ranges, locations and versions, and the size of its entry. */
export const list: Command = ({ print }) => {
  const settings = readSettings();
  const names = new Map<string, string[]>();
  const finder = createFinder(settings, chooseDepth(settings));
  const rows: ListedFeature[] = [...settings.declaration.features.values()].map((feature) => {
    const lookup = createLookup(settings, feature);
    const status = findStatus(lookup, { names, verify: finder.find });
    const bytes = status.dir === undefined ? undefined : measureEntry(status.dir);
    const lock = lookup.readLock().pin?.sidecar.made;
    return { ...status, ...(bytes !== undefined && { bytes }), ...(lock && { lock }) };
  });
  warnOfCopies(settings, settings.declaration.features.values());
  const none = `no features are declared in ${settings.core.root}/package.json`;
  print(rows.length === 0 ? none : format(rows, findWidth(1)), { features: rows }, settings);
  return 0;
};

/** On a terminal the reasons, which are long, are below the table. */
function format(rows: ListedFeature[], width: number | undefined): string {
  const lines = [HEAD, ...rows.flatMap(toLines)];
  const layout: Layout = {
    width,
    paint: (text, row, column) => {
      const color = column === WHERE ? COLORS[lines[row]?.[WHERE] ?? ''] : undefined;
      return row === 0 ? paint('bold', text) : color === undefined ? text : paint(color, text);
    },
  };
  if (width === undefined) return formatTable(lines, layout);
  const reasons = rows.flatMap(({ feature, refusal }) =>
    refusal === undefined ? [] : wrap(`${feature}: ${refusal.reason} (${refusal.code})`, width),
  );
  const table = formatTable(
    lines.map((line) => line.slice(0, -1)),
    layout,
  );
  return reasons.length === 0 ? table : `${table}\n\n${reasons.join('\n')}`;
}

/** One line for each package. Size and reason, which belong to the feature, are on the first. */
function toLines({ feature, packages, where, bytes, refusal }: ListedFeature): string[][] {
  const size = bytes === undefined ? '' : formatSize(bytes);
  const why = refusal === undefined ? '' : `${refusal.code}: ${refusal.reason}`;
  const lines = Object.entries(packages).map(([name, { range, where, version = '-' }]) => [
    '',
    name,
    range,
    where,
    version,
    '',
    '',
  ]);
  const [first = ['', '-', '-', where, '-', '', ''], ...rest] = lines;
  return [[feature, ...first.slice(1, 5), size, why], ...rest];
}
