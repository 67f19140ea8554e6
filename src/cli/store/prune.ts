/** annex prune */
import { readAbi } from '../../base/abi.ts';
import { type JudgedEntry, judgeEntries, pruneEntries } from '../../status/prune.ts';
import { makeStore } from '../../store/publish.ts';
import { type Command, readSettings, requireStore } from '../shared/command.ts';
import { inStores } from '../shared/in-stores.ts';
import { measureBytes } from '../shared/measure-entry.ts';
import { checkDeclaration, DAYS } from '../shared/prunable.ts';
import { addUp, formatTotal } from '../shared/total.ts';

/** An entry, and what becomes of it; in a dry run, what would. */
interface PrunedEntry {
  entry: string;
  feature: string;
  outcome: 'kept' | 'retired' | 'deleted';
  why: string;
  /** Missing when part of it cannot be read. */
  bytes?: number;
}

/** Retires entries without a use for this application, and deletes those that were retired long enough ago. */
export const prune: Command = ({ options, print }) => {
  const days = Number(options.days ?? DAYS);
  const settings = readSettings();
  const store = requireStore(settings, 'pruned');
  checkDeclaration(settings);
  const isDryRun = options['dry-run'] === true;
  const now = Date.now();
  const rows = inStores(settings, () => {
    const judged = judgeEntries(settings, store, { age: days * 24 * 60 * 60_000, now });
    const rows = judged.map(toRow);
    if (isDryRun) return rows;
    // Retiring needs a directory for its marks, which a baked store lacks.
    if (judged.some(({ fate }) => fate === 'retire')) makeStore(store, readAbi());
    const deleted = new Set(pruneEntries(store, judged, now));
    for (const row of rows) {
      if (row.outcome !== 'deleted' || deleted.has(row.entry)) continue;
      Object.assign(row, { outcome: 'kept', why: 'it could not be deleted' });
    }
    return rows;
  });
  print(format(rows, store, isDryRun), { isDryRun, entries: rows }, { ...settings, store });
  return 0;
};

const OUTCOMES = { keep: 'kept', retire: 'retired', delete: 'deleted' } as const;

function toRow({ entry, feature, fate, why }: JudgedEntry): PrunedEntry {
  const bytes = measureBytes(entry);
  return { entry, feature, outcome: OUTCOMES[fate], why, ...(bytes !== undefined && { bytes }) };
}

function format(rows: PrunedEntry[], store: string, isDryRun: boolean): string {
  const lines = rows.map(
    (row) => `${row.outcome} ${row.entry} (${formatTotal(addUp([row]))}): ${row.why}`,
  );
  const sums = (['retired', 'deleted', 'kept'] as const).map((outcome) => {
    const these = rows.filter((row) => row.outcome === outcome);
    return `${these.length} ${outcome} (${formatTotal(addUp(these))})`;
  });
  const dry = isDryRun ? 'a dry run, nothing was changed: ' : '';
  return [...lines, `${store}: ${dry}${sums.join(', ')}`].join('\n');
}
