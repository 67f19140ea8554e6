/** annex prune [--days N] [--dry-run] */
import { toRealPath } from '../app/core.ts';
import { readAbi } from '../base/abi.ts';
import { refuseByFileError } from '../base/file-error.ts';
import { writeLine } from '../base/log.ts';
import { composeNotice } from '../base/messages.ts';
import type { Settings } from '../settings/settings.ts';
import { pruneEntries, type Weighed, weighEntries } from '../status/prune.ts';
import { findStoreDistrust } from '../store/access.ts';
import { makeStore } from '../store/publish.ts';
import { type Command, findSettings, measure, parseDays, tellSize, warn } from './command.ts';

/** Days since an entry was published, or replaced. */
const DAYS = '14';

/** What is said of an entry; of a dry run, what would be. */
interface Row {
  entry: string;
  feature: string;
  outcome: 'kept' | 'retired' | 'deleted';
  why: string;
  bytes: number;
}

/** Retires what this core has no use for, and deletes what was retired long enough ago. */
export const prune: Command = ({ args, options, print }) => {
  const days = parseDays(options.days ?? DAYS);
  if (args.length > 0 || Number.isNaN(days)) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const hindrance = findHindrance(settings);
  if (settings.store === undefined || hindrance !== undefined) {
    warn(`nothing was pruned ${hindrance ?? '(ANNEX_STORE_UNUSABLE): there is no store'}`);
    return 1;
  }
  const store = toRealPath(settings.store);
  const isDryRun = options['dry-run'] === true;
  const now = Date.now();
  const weighed = weighEntries(settings, store, { age: days * 24 * 60 * 60_000, now });
  const rows = weighed.map(toRow);
  if (!isDryRun) {
    try {
      // What is retired needs a place to be marked in: a store that was baked has none.
      if (weighed.some(({ fate }) => fate === 'retire')) makeStore(store, readAbi());
      const deleted = new Set(pruneEntries(store, weighed, now));
      for (const row of rows) {
        if (row.outcome !== 'deleted' || deleted.has(row.entry)) continue;
        Object.assign(row, { outcome: 'kept', why: 'it could not be deleted' });
      }
    } catch (error) {
      writeLine(2, composeNotice(refuseByFileError(error, store)));
      return 1;
    }
  }
  print(format(rows, store, isDryRun), { store, isDryRun, entries: rows });
  return 0;
};

/** Why nothing may be pruned. What cannot be read of a declaration may be what somebody needs. */
function findHindrance({ core, declaration, store }: Settings): string | undefined {
  const distrust = store === undefined ? undefined : findStoreDistrust(store);
  if (distrust !== undefined) return `(ANNEX_STORE_UNUSABLE): ${distrust}`;
  const path = `${core.root}/package.json`;
  if (declaration.refusals.length > 0) {
    return `(ANNEX_INVALID_CONFIG): the declaration in ${path} is not right`;
  }
  if (declaration.features.size > 0) return undefined;
  return `(ANNEX_INVALID_CONFIG): ${path} declares no feature, so all would go. Now: annex uninstall FEATURE`;
}

const OUTCOMES = { keep: 'kept', retire: 'retired', delete: 'deleted' } as const;

const toRow = ({ entry, feature, fate, why }: Weighed): Row => ({
  entry,
  feature,
  outcome: OUTCOMES[fate],
  why,
  bytes: measure(entry) ?? 0,
});

function format(rows: Row[], store: string, isDryRun: boolean): string {
  const lines = rows.map(
    ({ entry, outcome, why, bytes }) => `${outcome} ${entry} (${tellSize(bytes)}): ${why}`,
  );
  const sums = (['retired', 'deleted', 'kept'] as const).map((outcome) => {
    const these = rows.filter((row) => row.outcome === outcome);
    const bytes = these.reduce((sum, row) => sum + row.bytes, 0);
    return `${these.length} ${outcome} (${tellSize(bytes)})`;
  });
  const dry = isDryRun ? 'a dry run, nothing was changed: ' : '';
  return [...lines, `${store}: ${dry}${sums.join(', ')}`].join('\n');
}
