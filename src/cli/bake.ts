/** annex bake DIRECTORY [FEATURE...] */
import { resolve } from 'node:path';
import { bakeFeatures } from '../install/bake.ts';
import type { InstallResult } from '../types.ts';
import { type Command, findFeatures, findSettings, toExitCode, warn } from './command.ts';

/** Fills a directory with published entries and nothing else. */
export const bake: Command = async ({ args: [dir, ...names], print }) => {
  if (dir === undefined || dir === '') return undefined;
  const settings = findSettings({ baked: resolve(dir) });
  if (settings === undefined) return 1;
  const features = findFeatures(settings, names);
  if (features === undefined) return 1;
  if (features.length === 0) {
    warn(`${settings.core.root}/package.json declares no feature`);
    return 1;
  }
  const results = await bakeFeatures(settings, features);
  print(results.flatMap(describe).join('\n'), results);
  const isDone = results.every(({ outcome }) => outcome !== 'failed');
  return toExitCode(isDone, names, settings);
};

/** A failure is on stderr already. */
function describe(result: InstallResult): string[] {
  if (result.outcome === 'failed') return [];
  const where = result.outcome === 'core' ? 'core ships it' : result.dir;
  return [`${result.feature}: ${where}`];
}
