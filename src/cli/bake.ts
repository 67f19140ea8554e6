/** annex bake DIRECTORY [FEATURE...] */
import { rmdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { VERSION } from '../base/store-layout.ts';
import { installFeature } from '../install/install.ts';
import { listNames, withDir } from '../store/directory.ts';
import { clearFailures, listRemembered } from '../store/failures.ts';
import type { InstallResult } from '../types.ts';
import { type Command, findFeatures, findSettings, toExitCode, warn } from './command.ts';

/** Fills a directory with published entries, and leaves nothing else in it. */
export const bake: Command = async ({ args: [dir, ...names], print }) => {
  if (dir === undefined || dir === '') return undefined;
  const store = resolve(dir);
  const settings = findSettings({ baked: store });
  if (settings === undefined) return 1;
  const features = findFeatures(settings, names);
  if (features === undefined) return 1;
  if (features.length === 0) {
    warn(`${settings.core.root}/package.json declares no feature`);
    return 1;
  }
  // Who builds an image is seldom who runs it.
  process.umask(0o022);
  const ignored = listRemembered(store);
  const results: InstallResult[] = [];
  for (const feature of features) {
    results.push(await installFeature(settings, feature, true, ignored));
  }
  clearFailures(store);
  dropEmpty(store);
  print(results.flatMap(describe).join('\n'), results);
  const isDone = results.every(({ outcome }) => outcome !== 'failed');
  return toExitCode(isDone, names, settings);
};

/** A layer is only read: what an installer works in is of no use there. */
function dropEmpty(store: string): void {
  for (const name of listNames(store, VERSION)) drop(store, [VERSION], name);
  drop(store, [], VERSION);
}

function drop(store: string, above: string[], name: string): void {
  try {
    withDir(store, above, (dir) => rmdirSync(dir.at(name)));
  } catch {
    // It holds entries, or somebody else works in it.
  }
}

/** A failure has been said on stderr already. */
function describe(result: InstallResult): string[] {
  if (result.outcome === 'failed') return [];
  const where = result.outcome === 'core' ? 'core ships it' : result.dir;
  return [`${result.feature}: ${where}`];
}
