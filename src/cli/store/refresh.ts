/** annex refresh */
import { basename, dirname } from 'node:path';
import { createLookup, findDeclarationRefusal } from '../../app/lookup.ts';
import { findOutsideRefusal, findShippedVersions } from '../../app/shipped.ts';
import { toRefusal } from '../../base/error.ts';
import { refuseByFileError, refuseDamage } from '../../base/file-error.ts';
import { parseEntryName } from '../../base/store-layout.ts';
import { installFeature } from '../../install/install.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { listStores } from '../../store/access.ts';
import { type Ignored, listRemembered } from '../../store/failures.ts';
import { createFinder } from '../../store/finder.ts';
import { listVersions } from '../../store/manifest.ts';
import { repairLinks } from '../../store/shared-links.ts';
import { listStored, type Stored } from '../../store/stored.ts';
import type { Refusal } from '../../types.ts';
import { type Command, printError, readSettings } from '../shared/command.ts';
import { formatVersions } from '../shared/format.ts';
import { inStores } from '../shared/in-stores.ts';
import { describeError } from '../shared/json.ts';

/** Result of refreshing one feature, as `--json` prints it. */
export type RefreshResult =
  | {
      feature: string;
      /**
       * `current`: the entry fits. `refreshed`: it no longer fitted, and another one was installed.
       * `restored`: it fitted, but was damaged or retired, and was installed again.
       */
      outcome: 'current' | 'refreshed' | 'restored';
      versions: Record<string, string>;
      dir: string;
    }
  | { feature: string; outcome: 'core'; versions: Record<string, string> }
  | { feature: string; outcome: 'failed' | 'skipped'; refusal: Refusal };

/**
 * Updates every feature that has an entry to its current declaration. The exit code is always 0: a
 * boot hook must not keep an application from starting.
 */
export const refresh: Command = async ({ print }) => {
  const none = 'nothing to refresh: no declared feature has an entry';
  try {
    const settings = readSettings();
    const results = await refreshAll(settings);
    const text = results.length === 0 ? none : results.map(describe).join('\n');
    print(text, { results }, settings);
  } catch (error) {
    printError(error);
    print(none, { results: [], error: describeError(error) });
  }
  return 0;
};

async function refreshAll(settings: Settings): Promise<RefreshResult[]> {
  // Shared: a host that failed for one feature is not asked for the next.
  const ignored = listRemembered(settings.store ?? '');
  const results: RefreshResult[] = [];
  for (const feature of settings.declaration.features.values()) {
    const before = inStores(settings, () =>
      listStores(settings).flatMap((store) => listStored(store, feature.slug)),
    );
    if (before.length > 0) results.push(await refreshFeature(settings, feature, before, ignored));
  }
  return results;
}

/** Never rejects. */
async function refreshFeature(
  settings: Settings,
  feature: Feature,
  before: Stored[],
  ignored: Ignored,
): Promise<RefreshResult> {
  const { name } = feature;
  try {
    const lookup = createLookup(settings, feature);
    const skip = (refusal: Refusal): RefreshResult => ({
      feature: name,
      outcome: 'skipped',
      refusal,
    });
    const invalid = findDeclarationRefusal(lookup);
    if (invalid !== undefined) return skip(invalid);
    const shipped = findShippedVersions(lookup);
    if (shipped !== undefined) return { feature: name, outcome: 'core', versions: shipped };
    const outside = findOutsideRefusal(lookup);
    if (outside !== undefined) return skip(outside);
    const finder = createFinder(settings, settings.verify === 'off' ? undefined : 'all');
    const { entry, damaged, blocked } = finder.find(lookup);
    if (entry !== undefined) {
      repairLinks(entry, settings.core.root);
      const versions = listVersions(entry.manifest, feature);
      return { feature: name, outcome: 'current', versions, dir: entry.dir };
    }
    const { gate } = settings;
    if (gate !== undefined) {
      const why = damaged[0] === undefined ? gate : refuseDamage(damaged[0], gate);
      return skip(blocked ?? why);
    }
    const result = await installFeature(settings, feature, { ignored });
    if (result.outcome === 'failed') {
      const { refusal } = result;
      const outcome = refusal.code === 'ANNEX_DENIED' ? 'skipped' : 'failed';
      return { feature: name, outcome, refusal };
    }
    const { versions, dir = '' } = result;
    const outcome = before.some((stored) => isSame(stored, dir)) ? 'restored' : 'refreshed';
    return { feature: name, outcome, versions, dir };
  } catch (error) {
    const refusal = toRefusal(error, () => refuseByFileError(error, settings.store ?? ''));
    return { feature: name, outcome: 'failed', refusal };
  }
}

/** Whether an entry has the content and the ABI of another. */
const isSame = ({ abi, id }: Stored, dir: string): boolean =>
  abi === basename(dirname(dir)) && id === parseEntryName(basename(dir))?.id;

function describe(result: RefreshResult): string {
  const { feature, outcome } = result;
  if ('refusal' in result) {
    return `${feature}: ${outcome} (${result.refusal.code}): ${result.refusal.reason}`;
  }
  if (!('dir' in result)) return `${feature}: core ships it now`;
  return `${feature}: ${outcome}, ${formatVersions(result.versions)} (${result.dir})`;
}
