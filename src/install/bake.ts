/** Fills a directory with entries: installs into it, and removes the directories that only installers use. */
import { rmdirSync } from 'node:fs';
import { VERSION } from '../base/store-layout.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { ignoreErrors, listNames, withDir } from '../store/directory.ts';
import { clearFailures, listRemembered } from '../store/failures.ts';
import type { InstallResult } from '../types.ts';
import { installFeature } from './install.ts';

/**
 * Installs features into the store of these settings. No failure is remembered in it, and every user
 * can read it, whatever the umask.
 */
export async function bakeFeatures(
  settings: Settings,
  features: Feature[],
): Promise<InstallResult[]> {
  const store = settings.store ?? '';
  process.umask(0o022);
  const ignored = listRemembered(store);
  const results: InstallResult[] = [];
  for (const feature of features) {
    results.push(await installFeature(settings, feature, { ignored }));
  }
  clearFailures(store);
  for (const name of listNames(store, VERSION)) removeIfEmpty(store, [VERSION], name);
  removeIfEmpty(store, [], VERSION);
  return results;
}

/** Removes a directory of a store, unless it holds entries or another process works in it. */
function removeIfEmpty(store: string, parents: string[], name: string): void {
  ignoreErrors(() => withDir(store, parents, (dir) => rmdirSync(dir.at(name))));
}
