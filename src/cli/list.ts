/** annex list */
import { createLookup } from '../app/lookup.ts';
import { formatTable } from '../base/messages.ts';
import { chooseDepth } from '../resolve/thread.ts';
import { findStatus } from '../status/status.ts';
import { createFinder } from '../store/finder.ts';
import type { FeatureStatus } from '../types.ts';
import { type Command, formatSize, measureEntry, readSettings } from './command.ts';
import { warnOfCopies } from './core-copies.ts';

/** A feature, and the size of its entry. */
type ListedFeature = FeatureStatus & { bytes?: number };

const HEAD = ['feature', 'package', 'range', 'where', 'version', 'size', 'why'];

/** Lists every feature: its packages with ranges, locations and versions, and the size of its entry. */
export const list: Command = ({ print }) => {
  const settings = readSettings();
  const names = new Map<string, string[]>();
  const finder = createFinder(settings, chooseDepth(settings));
  const rows: ListedFeature[] = [...settings.declaration.features.values()].map((feature) => {
    const lookup = createLookup(settings, feature);
    const status = findStatus(lookup, { names, verify: finder.find });
    const bytes = status.dir === undefined ? undefined : measureEntry(status.dir);
    return { ...status, ...(bytes !== undefined && { bytes }) };
  });
  warnOfCopies(settings, settings.declaration.features.values());
  const none = `no features are declared in ${settings.core.root}/package.json`;
  const text = rows.length === 0 ? none : formatTable([HEAD, ...rows.flatMap(toLines)]);
  print(text, { features: rows }, settings);
  return 0;
};

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
