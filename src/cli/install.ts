/** annex install FEATURE...|--all */

import { isInstaller } from '../base/environment.ts';
import { installFeature } from '../install/install.ts';
import { isRetry } from '../settings/environment.ts';
import { listRemembered } from '../store/failures.ts';
import type { InstallResult } from '../types.ts';
import {
  type Command,
  formatVersions,
  printResults,
  readSettings,
  selectFeatures,
} from './command.ts';

/** Installs features into the store. Remembered failures count for an installer alone. */
export const install: Command = async ({ args, options, print }) => {
  const isAll = options.all === true;
  if (isAll !== (args.length === 0)) return undefined;
  const settings = readSettings();
  const features = selectFeatures(settings, args);
  const isForProgram = isInstaller();
  if (isForProgram) process.once('exit', endGroup);
  const ignoresFailures = !isForProgram || isRetry();
  const ignored = ignoresFailures ? listRemembered(settings.store ?? '') : undefined;
  const results: InstallResult[] = [];
  for (const feature of features) {
    results.push(await installFeature(settings, feature, { isInstaller: isForProgram, ignored }));
  }
  return printResults(results, describe, { names: args, settings, print });
};

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
