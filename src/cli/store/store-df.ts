/** annex store df: the sizes of entries by state, what a prune frees, and the free space. */
import { AnnexError } from '../../base/error.ts';
import { wrap } from '../../base/layout.ts';
import type { Settings } from '../../settings/settings.ts';
import { STATES } from '../../status/held.ts';
import { judgeEntries } from '../../status/prune.ts';
import { findStoreRefusal } from '../../store/access.ts';
import type { Look } from '../../store/look.ts';
import { createSurvey } from '../../store/survey.ts';
import type { Refusal } from '../../types.ts';
import { formatSize } from '../shared/format.ts';
import { composeTable } from '../shared/table.ts';
import { findWidth } from '../shared/terminal.ts';
import { addUp, formatTotal, type Total } from '../shared/total.ts';
import { findNearestDirectory, measureSpace } from '../shared/volume.ts';
import { checkDeclaration, DAYS } from './prune.ts';
import { describeEntries, type Output, type StoredEntry } from './store-ls.ts';

const HEAD = ['state', 'entries', 'size'];

/** What annex prune would do now, or why it does nothing. */
type Prunable = { deletes: Total; retires: Total } | { refusal: Refusal };

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
  const prune = findPrunable(settings, store, own, { now, look });
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

function findPrunable(
  settings: Settings,
  store: string,
  entries: readonly StoredEntry[],
  { now, look }: { now: number; look: Look },
): Prunable {
  try {
    checkDeclaration(settings);
    const age = DAYS * 24 * 60 * 60_000;
    const judged = judgeEntries(settings, store, { age, now }, look);
    const sum = (fate: string): Total => {
      const dirs = new Set(judged.filter((one) => one.fate === fate).map(({ entry }) => entry));
      return addUp(entries.filter(({ dir }) => dirs.has(dir)));
    };
    return { deletes: sum('delete'), retires: sum('retire') };
  } catch (error) {
    if (error instanceof AnnexError) return { refusal: error.refusal };
    throw error;
  }
}

function describePrunable(prune: Prunable): string {
  if ('refusal' in prune) return `annex prune frees nothing: ${prune.refusal.reason}`;
  const { deletes, retires } = prune;
  return `annex prune frees ${describeSize(deletes)} at once, and ${describeSize(retires)} a day later`;
}

const describeSize = (total: Total): string =>
  total.unmeasured === undefined ? formatTotal(total) : `at least ${formatSize(total.bytes)}`;

/** Free space is of no use in a store in which nothing can be installed. */
function describeRefusal(store: string): string[] {
  const refusal = findStoreRefusal(store);
  return refusal === undefined
    ? []
    : [`nothing can be installed: ${refusal.reason}. Now: ${refusal.hint}`];
}

const describeFree = (free: number | undefined, store: string): string[] =>
  free === undefined ? [] : [`${formatSize(free)} are free on the volume of ${store}`];
