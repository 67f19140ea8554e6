/** Looks for each feature of an application as an import does. */
import { createLookup, type Lookup } from '../app/lookup.ts';
import { chooseDepth } from '../resolve/thread.ts';
import type { Settings } from '../settings/settings.ts';
import { findStatus } from '../status/status.ts';
import { createFinder } from '../store/finder.ts';
import type { FeatureStatus } from '../types.ts';

/** An application as imports meet it. */
export interface Patient {
  settings: Settings;
  /** One for each feature, valid or not. */
  features: { lookup: Lookup; status: FeatureStatus }[];
  /** Directories of damaged entries to one clause each. */
  damages: ReadonlyMap<string, string>;
}

/** Verifies entries as a process does that first uses them; `annex verify` reads every file. */
export function examine(settings: Settings): Patient {
  const names = new Map<string, string[]>();
  const finder = createFinder(settings, chooseDepth(settings));
  const features = [...settings.declaration.features.values()].map((feature) => {
    const lookup = createLookup(settings, feature);
    return { lookup, status: findStatus(lookup, { names, verify: finder.find }) };
  });
  return { settings, features, damages: finder.damages };
}
