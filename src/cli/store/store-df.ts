/** annex store df: the sizes of entries by state, what a prune frees, and the free space. */
import { wrap } from '../../base/layout.ts';
import type { Settings } from '../../settings/settings.ts';
import { STATES } from '../../status/held.ts';
import { createSurvey } from '../../store/survey.ts';
import { findStoreRefusal } from '../../store/writable.ts';
import { formatSize } from '../shared/format.ts';
import { describePrunable, findPrunable } from '../shared/prunable.ts';
import { composeTable } from '../shared/table.ts';
import { findWidth } from '../shared/terminal.ts';
import { addUp, formatTotal, type Total } from '../shared/total.ts';
import { findNearestDirectory, measureSpace } from '../shared/volume.ts';
import { describeEntries, type Output } from './store-ls.ts';

const HEAD = ['state', 'entries', 'size'];

/** Adds up the entries of the store by state, and those of each layer. */
export function measureUse(settings: Settings, store: string, now: number): Output {
  const look = createSurvey();
  const entries = describeEntries(settings, look);
  const own = entries.filter(({ isLayer }) => !isLayer);
  const states = STATES.map((state) => ({
    state,
    ...addUp(own.filter((entry) => entry.state === state)),
  })).filter((total) => total.entries > 0);
  const layerTotals = settings.layers.map((layer) => ({
    layer,
    ...addUp(entries.filter((entry) => entry.isLayer && entry.store === layer)),
  }));
  const prune = findPrunable(settings, now, look);
  const free = measureSpace(findNearestDirectory(store))?.bytes;
  const table = composeTable(HEAD, [
    ...states.map(({ state, ...total }) => toLine(state, total)),
    toLine('total', addUp(own)),
    ...layerTotals.map(({ layer, ...total }) => toLine(`layer ${layer}`, total)),
  ]);
  const lines = [...describeRefusal(store), describePrunable(prune), ...describeFree(free, store)];
  const width = findWidth(1);
  const text = lines.flatMap((line) => (width === undefined ? line : wrap(line, width)));
  return {
    text: `${table}\n\n${text.join('\n')}`,
    data: { states, layerTotals, prune, ...(free !== undefined && { free }) },
  };
}

const toLine = (name: string, total: Total): string[] => [
  ...[name, String(total.entries), formatTotal(total)],
];

/** Free space is of no use in a store in which nothing can be installed. */
function describeRefusal(store: string): string[] {
  const refusal = findStoreRefusal(store);
  return refusal === undefined
    ? []
    : [`nothing can be installed: ${refusal.reason}. Now: ${refusal.hint}`];
}

const describeFree = (free: number | undefined, store: string): string[] =>
  free === undefined ? [] : [`${formatSize(free)} are free on the volume of ${store}`];
