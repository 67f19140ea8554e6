/** Why an entry cannot be used although it was published a moment ago. */
import { lstatSync } from 'node:fs';
import type { Refusal } from '../types.ts';

/**
 * @param dir of the published entry; undefined when another installer published it
 * @param rejected why the entries in the stores are not used
 * @param command shows more
 */
export function refuseUnusable(
  dir: string | undefined,
  rejected: string[],
  command: string,
): Refusal {
  const isGone =
    dir === undefined
      ? rejected.length === 0
      : lstatSync(dir, { throwIfNoEntry: false }) === undefined;
  if (isGone) return REMOVED;
  return {
    code: 'ANNEX_INSTALL_FAILED',
    reason: `the installed entry is not valid: ${rejected.join('; ') || 'it is missing'}`,
    hint: command,
  };
}

/** Not a failure of the feature: a refusal with a state is not remembered. */
const REMOVED: Refusal = {
  code: 'ANNEX_INSTALL_FAILED',
  reason: 'it was installed, and another process removed it at once',
  hint: 'find out which process runs annex uninstall',
  state: 'The next request installs it again; other features unaffected',
};
