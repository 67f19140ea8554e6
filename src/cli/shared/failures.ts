/** Prints why a command could not do its work for some features. */
import { writeLine } from '../../base/log.ts';
import { composeNotice } from '../../base/messages.ts';
import { tabulateConflicts } from '../../plan/conflicts.ts';
import type { Refusal } from '../../types.ts';
import { findWidth } from './terminal.ts';

type Failure = { feature: string; outcome: 'failed'; refusal: Refusal };

/**
 * Prints each reason on stderr once, with the features that it counts for. Other results are left out.
 *
 * @param what a clause after the names of features
 * @example printFailures(results, 'cannot be locked')
 */
export function printFailures(
  results: readonly (Failure | { outcome: string })[],
  what: string,
): void {
  const groups = new Map<string, { names: string[]; refusal: Refusal }>();
  for (const { feature, refusal } of results.filter(isFailure)) {
    const key = composeNotice(refusal);
    const group = groups.get(key) ?? { names: [], refusal };
    groups.set(key, group);
    group.names.push(feature);
  }
  for (const { names, refusal } of groups.values()) {
    const reason = `${names.join(', ')} ${what}: ${refusal.reason}`;
    writeLine(2, composeNotice({ ...refusal, reason }));
    const { conflicts } = refusal;
    if (conflicts !== undefined) writeLine(2, tabulateConflicts(conflicts, findWidth(2)));
  }
}

const isFailure = (result: Failure | { outcome: string }): result is Failure =>
  result.outcome === 'failed';
