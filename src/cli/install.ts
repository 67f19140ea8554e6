/** annex install FEATURE...|--all */
import { installFeature } from '../install/install.ts';
import { isInstaller, isRetry } from '../settings/environment.ts';
import { listRemembered } from '../store/failures.ts';
import type { InstallResult } from '../types.ts';
import { type Command, findFeatures, findSettings, toExitCode } from './command.ts';

/** Installs features into the store; by hand, a remembered failure does not count. */
export const install: Command = async ({ args, options, print }) => {
  const isAll = options.all === true;
  if (isAll !== (args.length === 0)) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const features = findFeatures(settings, args);
  if (features === undefined) return 1;
  const isForProgram = isInstaller();
  if (isForProgram) process.once('exit', endGroup);
  const ignoresFailures = !isForProgram || isRetry();
  const ignored = ignoresFailures ? listRemembered(settings.store ?? '') : undefined;
  const results: InstallResult[] = [];
  for (const feature of features) {
    results.push(await installFeature(settings, feature, { isInstaller: isForProgram, ignored }));
  }
  print(results.flatMap(describe).join('\n'), results);
  const isDone = results.every(({ outcome }) => outcome !== 'failed');
  return toExitCode(isDone, args, settings);
};

/** An installer is the head of its own process group: whatever npm left running ends with it. */
function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // It is no head of a group: a person has set the variable.
  }
}

/** A failure has been said on stderr already. */
function describe(result: InstallResult): string[] {
  if (result.outcome === 'failed') return [];
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`);
  const where = result.outcome === 'core' ? 'core' : result.dir;
  return [`${result.feature}: ${versions.join(', ')} (${where})`];
}
