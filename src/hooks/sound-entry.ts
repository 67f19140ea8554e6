/** Finds a sound entry for a feature whose entry is damaged, and installs it when none is there. */
import { basename } from 'node:path';
import { createLookup, refreshLookup } from '../app/lookup.ts';
import type { Install } from '../resolve/options.ts';
import type { Thread } from '../resolve/thread.ts';
import type { Feature } from '../settings/feature.ts';
import { findInstallRefusal, nameCommand } from '../status/refusals.ts';
import { findEntryFeature } from '../store/finder.ts';
import type { Refusal } from '../types.ts';

/** The directory of a sound entry, or the reason why no such entry exists. */
export type SoundEntry = { dir: string } | { refusal: Refusal };

/**
 * Creates the search of a thread. It caches every result, except when a store could not be read.
 *
 * @returns searches, given the real path of the damaged entry, and the damage as one clause
 */
export function createSoundEntries(
  { finder, settings, failures }: Thread,
  install: Install,
): (damagedDir: string, damage: string) => SoundEntry {
  const results = new Map<string, SoundEntry>();
  const search = (feature: Feature, damagedDir: string): SoundEntry => {
    const lookup = createLookup(settings, feature);
    const present = finder.find(lookup, true);
    if (present.entry !== undefined) return present.entry;
    const refusal =
      findInstallRefusal(lookup, present, { local: failures.get(feature.name) }) ?? install(lookup);
    if (refusal !== undefined) return { refusal };
    const { entry, rejected } = finder.find(refreshLookup(lookup), true);
    // The installer accepts files that were added to an entry: the damaged one is then still there.
    const others = rejected.filter((one) => !one.includes(`${basename(damagedDir)} is damaged`));
    const hint = nameCommand(settings, `verify ${feature.name}`);
    return entry ?? { refusal: refuseRejected(others, hint) };
  };
  return (damagedDir, damage) => {
    const known = results.get(damagedDir);
    if (known !== undefined) return known;
    finder.damages.set(damagedDir, damage);
    const feature = findEntryFeature(settings, damagedDir);
    const result = feature === undefined ? { refusal: UNDECLARED } : search(feature, damagedDir);
    const isUnread = 'refusal' in result && result.refusal.isUnread === true;
    if (!isUnread) results.set(damagedDir, result);
    return result;
  };
}

const UNDECLARED: Refusal = {
  code: 'ANNEX_INTEGRITY',
  reason: 'no feature of that name is declared',
  hint: 'remove that directory',
};

const refuseRejected = (rejected: string[], hint: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: rejected.join('; ') || 'there is no other entry',
  hint,
});
