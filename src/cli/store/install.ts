/** annex install */
import { isInstaller } from '../../base/environment.ts';
import { installFeature } from '../../install/install.ts';
import { installWithin } from '../../install/within.ts';
import { isRetry } from '../../settings/environment.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { listRemembered } from '../../store/failures.ts';
import type { InstallResult } from '../../types.ts';
import { type Command, printResults, readSettings, selectFeatures } from '../shared/command.ts';
import { formatVersions } from '../shared/format.ts';

/** Installs features into the store. Remembered failures count for an installer alone. */
export const install: Command = async ({ args, options, print }) => {
  const settings = readSettings();
  const isForProgram = isInstaller();
  const features = await addNeeded(selectFeatures(settings, args), settings, options.graph);
  if (options.within !== undefined) {
    const results = await installWithin(settings, features, Number(options.within));
    return printResults(results, describe, { names: args, settings, print });
  }
  if (isForProgram) process.once('exit', endGroup);
  const ignoresFailures = !isForProgram || isRetry();
  const ignored = ignoresFailures ? listRemembered(settings.store ?? '') : undefined;
  const run = (feature: Feature): Promise<InstallResult> =>
    installFeature(settings, feature, { isInstaller: isForProgram, ignored });
  const results: InstallResult[] = [];
  // A program waits for all of them.
  if (isForProgram) results.push(...(await Promise.all(features.map(run))));
  else for (const feature of features) results.push(await run(feature));
  return printResults(results, describe, { names: args, settings, print });
};

/** Adds the features that the same module graph needs next. */
async function addNeeded(
  features: Feature[],
  settings: Settings,
  [file, script]: string[] = [],
): Promise<Feature[]> {
  if (file === undefined) return features;
  const { findStaticFeatures } = await import('./static-imports.ts');
  return [...new Set([...features, ...(await findStaticFeatures(settings, file, script))])];
}

/** Ends the processes that npm left running: an installer leads its own process group. */
function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // It leads no group: a person set the variable.
  }
}

function describe({
  feature,
  outcome,
  versions,
  dir,
}: Exclude<InstallResult, { outcome: 'failed' }>): string {
  return `${feature}: ${formatVersions(versions)} (${outcome === 'core' ? 'core' : dir})`;
}
