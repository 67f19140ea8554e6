/** annex list */
import { createLookup } from '../app/lookup.ts';
import { formatTable } from '../base/table.ts';
import { chooseDepth } from '../resolve/thread.ts';
import { findStatus } from '../status/status.ts';
import { createFinder } from '../store/finder.ts';
import type { FeatureStatus } from '../types.ts';
import { type Command, findSettings, measure, tellSize } from './command.ts';
import { warnOfCopies } from './core-copies.ts';

/** What is said of a feature; `bytes` when it stands in a store or a layer. */
type Row = FeatureStatus & { bytes?: number };

const HEAD = ['feature', 'package', 'range', 'where', 'version', 'size', 'why'];

/** Lists every feature: its packages and ranges, where it is, version and size. */
export const list: Command = ({ args, print }) => {
  if (args.length > 0) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const names = new Map<string, string[]>();
  const finder = createFinder(settings, chooseDepth(settings));
  const rows: Row[] = [...settings.declaration.features.values()].map((feature) => {
    const lookup = createLookup(settings, feature);
    const status = findStatus(lookup, { names, verify: finder.find });
    const bytes = status.dir === undefined ? undefined : measure(status.dir);
    return { ...status, ...(bytes !== undefined && { bytes }) };
  });
  warnOfCopies(settings, settings.declaration.features.values());
  const none = `no features are declared in ${settings.core.root}/package.json`;
  print(rows.length === 0 ? none : formatTable([HEAD, ...rows.flatMap(toLines)]), rows);
  return 0;
};

/** One line for each package; what is true of the whole feature stands on the first. */
function toLines({ feature, packages, where, bytes, refusal }: Row): string[][] {
  const size = bytes === undefined ? '' : tellSize(bytes);
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
