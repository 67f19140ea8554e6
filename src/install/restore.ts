/** Takes an entry back into use that prune has retired. */
import { type Lookup, refreshLookup } from '../app/lookup.ts';
import { AnnexError } from '../base/error.ts';
import { findInstallRefusal } from '../status/refusals.ts';
import type { FoundEntry } from '../store/entry.ts';
import type { Finder } from '../store/finder.ts';
import { restore } from '../store/retire.ts';
import type { InstallReport } from './report.ts';

/**
 * Restores the entry that a search has found retired and fitting, if there is one, and verifies it: another version of
 * the application may have pruned it. Only the holder of the lock calls this.
 *
 * @returns the result of the search, or of a second one
 * @throws AnnexError when no install may start
 */
export function restoreRetired(
  {
    lookup,
    store,
    finder,
    report,
  }: { lookup: Lookup; store: string; finder: Finder; report: InstallReport },
  found: FoundEntry,
): FoundEntry {
  const { restorable, ...rest } = found;
  if (restorable === undefined || found.unread !== undefined) return found;
  const refusal = findInstallRefusal(lookup, found);
  if (refusal !== undefined) throw new AnnexError(refusal);
  if (!restore(store, restorable)) return rest;
  const again = finder.find(refreshLookup(lookup));
  if (again.entry !== undefined) report.reportRestored(again.entry.dir);
  return again;
}
