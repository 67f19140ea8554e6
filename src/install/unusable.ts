/** Why an entry cannot be used although it was published a moment ago. */
import { lstatSync } from 'node:fs';
import type { Lookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { findEntry } from '../store/entry.ts';
import type { Refusal } from '../types.ts';

/** @param dir of the published entry; undefined when another installer published it */
export function refuseUnusable(dir: string | undefined, lookup: Lookup): Refusal {
  const { rejected } = findEntry(lookup, readAbi());
  const isGone =
    dir === undefined
      ? rejected.length === 0
      : lstatSync(dir, { throwIfNoEntry: false }) === undefined;
  if (isGone) return REMOVED;
  return {
    code: 'ANNEX_INSTALL_FAILED',
    reason: `what was installed is not valid: ${rejected.join('; ') || 'it is not there'}`,
    hint: `annex why ${Object.keys(lookup.feature.packages)[0]}`,
  };
}

/** Not a failure of the feature: it is not remembered. */
const REMOVED: Refusal = {
  code: 'ANNEX_INSTALL_FAILED',
  reason: 'it was installed, and another process removed it at once',
  hint: 'see who runs annex uninstall here',
  state: 'The next request installs it again; other features unaffected',
};
