/** Looks for each feature of an application as an import does. */
import { createLookup, type Lookup } from '../../app/lookup.ts';
import { chooseDepth } from '../../resolve/thread.ts';
import type { Settings } from '../../settings/settings.ts';
import { findStatus, isUsable } from '../../status/status.ts';
import type { Damaged, FoundEntry } from '../../store/entry.ts';
import { createFinder } from '../../store/finder.ts';
import { createSurvey } from '../../store/survey.ts';
import type { UnfitEntry } from '../../store/unfit.ts';
import type { FeatureStatus } from '../../types.ts';

/** An application, with each of its features as an import finds it. */
export interface Examined {
  settings: Settings;
  /** One for each feature, valid or not. */
  features: ExaminedFeature[];
}

/** A feature as an import finds it. */
export interface ExaminedFeature {
  lookup: Lookup;
  status: FeatureStatus;
  /** Entries that are not used because they are damaged; none while the feature is available. */
  damaged: Damaged[];
  /** An entry that is there and does not fit. */
  unfit?: UnfitEntry;
  /** Whether no file of the entry is hashed, because it is in a layer as trusted as core. */
  isUnhashed: boolean;
}

const NOTHING: Pick<FoundEntry, 'damaged' | 'unfit'> = { damaged: [] };

/** Verifies entries as a process does that first uses them; `annex verify` reads every file. */
export function examine(settings: Settings): Examined {
  const look = createSurvey();
  const finder = createFinder(settings, chooseDepth(settings), { look });
  const features = [...settings.declaration.features.values()].map((feature) => {
    const lookup = createLookup(settings, feature);
    const status = findStatus(lookup, { look, verify: finder.find });
    const { damaged, unfit } = isUsable(status) ? NOTHING : finder.find(lookup);
    const isUnhashed = status.dir !== undefined && finder.isSealed(status.dir);
    return {
      ...{ lookup, status, damaged, isUnhashed },
      ...(unfit?.reason !== undefined && { unfit }),
    };
  });
  return { settings, features };
}
