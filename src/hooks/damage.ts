/** Replaces damaged entries of a thread by sound ones, or makes the error that a request gets. */
import { basename } from 'node:path';
import { AnnexError, explain } from '../base/error.ts';
import { refuseDamage } from '../base/file-error.ts';
import { relativeTo } from '../base/store-layout.ts';
import type { Locator } from '../resolve/locator.ts';
import { createMissing } from '../resolve/not-found.ts';
import type { Install } from '../resolve/options.ts';
import { createReporter } from '../resolve/report.ts';
import type { Request } from '../resolve/request.ts';
import { fitRefusal } from '../status/refusals.ts';
import { findEntryFeature } from '../store/finder.ts';
import type { Refusal } from '../types.ts';
import { createSoundEntries, type SoundEntry } from './sound-entry.ts';

/** A load of a file in an entry. */
export interface Load {
  entry: string;
  file: string;
  kind: Request['kind'];
}

/** What a thread does about damaged entries. */
export interface Damage {
  /** Finds or installs a sound entry, given the real path of the damaged one, and the damage as one clause. */
  findSoundEntry: (damagedDir: string, damage: string) => SoundEntry;
  /** The real path of the damaged entry that this thread has replaced by another one. */
  findReplaced: (soundDir: string) => string | undefined;
  /** Makes Node's not-found error for a load, with its cause, and reports it. */
  makeLoadError: (load: Load, refusal: Refusal) => unknown;
  /** Makes that error for a load from a damaged entry that `findSoundEntry` did not replace, or not for this file. */
  makeDamageError: (load: Load, damage: string, sound: SoundEntry) => unknown;
}

/** Creates it for one thread. */
export function createDamage({ thread }: Locator, install: Install): Damage {
  const { settings, requesters } = thread;
  const reported = new Set<string>();
  const replaced = new Map<string, string>();
  const search = createSoundEntries(thread, install);
  const report = createReporter(settings);
  const makeLoadError: Damage['makeLoadError'] = ({ file, entry, kind }, refusal) => {
    const feature = findEntryFeature(settings, entry);
    const name = feature?.name ?? basename(entry);
    const parent = requesters.get(name)?.parent;
    const asker = parent && relativeTo(settings.core.root, parent);
    const cause = new AnnexError(fitRefusal(refusal, settings), { feature: name, asker });
    if (feature !== undefined) report(feature, cause, !reported.has(entry));
    reported.add(entry);
    return explain(createMissing(file, kind), cause);
  };
  return {
    findSoundEntry: (damagedDir, damage) => {
      const sound = search(damagedDir, damage);
      if ('dir' in sound) replaced.set(sound.dir, damagedDir);
      return sound;
    },
    findReplaced: (soundDir) => replaced.get(soundDir),
    makeLoadError,
    makeDamageError: (load, damage, sound) => {
      const why = 'refusal' in sound ? sound.refusal : refuseIncomplete(sound.dir);
      return makeLoadError(load, refuseDamage({ dir: load.entry, damage }, why));
    },
  };
}

/** The sound entry that replaces a damaged one lacks the requested file. */
const refuseIncomplete = (dir: string): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${dir}, which is sound, lacks that file`,
  hint: 'start the process again',
});
