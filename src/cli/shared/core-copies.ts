/** Notices about copies of declared packages in core, for `annex list` and `annex lock --check`. None is an error. */
import { findCorePackage } from '../../app/core.ts';
import { isShipped } from '../../app/inventory.ts';
import { createLookup, listBlocked } from '../../app/lookup.ts';
import { satisfiesWithPrereleases } from '../../base/semver.ts';
import { listDrifts } from '../../lock/drift.ts';
import { describeBlocked, findBlocked } from '../../settings/blocked.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { warn } from './command.ts';

/**
 * Warns about blocked versions that core ships, and about copies that core does not ship and whose
 * version is not the locked one.
 */
export function warnOfCopies(settings: Settings, features: Iterable<Feature>): void {
  for (const line of listShippedBlocked(settings)) warn(line);
  for (const feature of features) {
    for (const { name, version, locked, isFit } of listDrifts(createLookup(settings, feature))) {
      const what = `core has ${name} ${version}, which it does not ship, and ${locked} is locked`;
      const remedy = isFit
        ? `npx annex lock ${feature.name}`
        : `npm install --save-dev ${name}@${locked}`;
      warn(`${feature.name}: ${what}. Now: ${remedy}`);
    }
  }
}

/** Core wins, so a blocked version in it is not an error. */
function listShippedBlocked(settings: Settings): string[] {
  const { core } = settings;
  const blocked = listBlocked(settings);
  const shipped = [...new Set(blocked.map(({ name }) => name))].flatMap((name) => {
    const version = findCorePackage(name, core.root)?.version;
    return version === undefined || !isShipped(core, name) ? [] : { name, version };
  });
  return shipped.flatMap((one) => {
    const found = findBlocked([one], blocked, satisfiesWithPrereleases);
    if (found === undefined) return [];
    const remedy = `Now: npm install ${one.name}@VERSION, with one that is not blocked`;
    return `${describeBlocked(found)}; core ships it, and core wins. ${remedy}`;
  });
}
