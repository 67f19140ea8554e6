/** Fills a directory with entries: installs into it, and removes the directories that only installers use. */
import { rmdirSync, utimesSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { toRealPath } from '../base/paths.ts';
import { VERSION } from '../base/store-layout.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { ignoreErrors, listNames, withDir } from '../store/directory.ts';
import { clearFailures, listRemembered } from '../store/failures.ts';
import { stampTree } from '../store/tree.ts';
import type { InstallResult } from '../types.ts';
import { installFeature } from './install.ts';

/**
 * Installs features into the store of these settings. No failure is remembered in it. What it adds has the time 0, so that
 * two runs give equal directories, if the umask is the same.
 */
export async function bakeFeatures(
  settings: Settings,
  features: Feature[],
): Promise<InstallResult[]> {
  const store = settings.store ?? '';
  const ignored = listRemembered(store);
  const results: InstallResult[] = [];
  for (const feature of features) {
    results.push(await installFeature(settings, feature, { ignored }));
  }
  clearFailures(store);
  for (const name of listNames(store, VERSION)) removeIfEmpty(store, [VERSION], name);
  removeIfEmpty(store, [], VERSION);
  for (const result of results) {
    if (result.outcome === 'installed' && result.dir !== undefined) stampEntry(store, result.dir);
  }
  return results;
}

/** Removes a directory of a store, unless it holds entries or another process works in it. */
function removeIfEmpty(store: string, parents: string[], name: string): void {
  ignoreErrors(() => withDir(store, parents, (dir) => rmdirSync(dir.at(name))));
}

/**
 * Sets the times of an entry, and of the directories between it and the store: in the store of a group they can belong
 * to another user.
 */
function stampEntry(store: string, entry: string): void {
  const names = relative(toRealPath(store), entry).split(sep);
  ignoreErrors(() => withDir(store, names, stampTree));
  for (let depth = names.length - 1; depth > 0; depth--) {
    ignoreErrors(() => withDir(store, names.slice(0, depth), (dir) => utimesSync(dir.at(), 0, 0)));
  }
}
