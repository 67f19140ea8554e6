/** annex lock [FEATURE...] [--check] [--min-age DAYS] */
import { basename } from 'node:path';
import { createLookup } from '../app/lookup.ts';
import { checkLock, listStrayLocks } from '../lock/check.ts';
import { listTemporaries, sweepTemporaries } from '../lock/replace.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import {
  type Command,
  describeDays,
  type Invocation,
  printResults,
  readSettings,
  selectFeatures,
  toExitCode,
  warn,
} from './command.ts';
import { warnOfCopies } from './core-copies.ts';
import { describeDone, indentDiff, lockAll, parseMinAge, removeLock } from './lock-features.ts';

/**
 * Locks features. Without names it locks all of them, and removes the locks of features that are not
 * declared. With --check it only reports what differs, without a network.
 */
export const lock: Command = async ({ args, options, print }) => {
  const minAge = parseMinAge(options);
  if (Number.isNaN(minAge)) return describeDays('min-age', options);
  const settings = readSettings();
  const features = selectFeatures(settings, args);
  const strays = args.length === 0 ? listStrayLocks(settings) : [];
  if (options.check === true) return check({ settings, features, strays, names: args, print });
  sweepTemporaries(settings.core.root);
  const results = await lockAll(settings, features, { minAge });
  for (const dir of strays) {
    removeLock(dir);
    results.push({ feature: basename(dir), outcome: 'removed', dir });
  }
  return printResults(results, (result) => describeDone(result), { names: args, settings, print });
};

interface CheckJob {
  settings: Settings;
  features: Feature[];
  /** Directories of locks of undeclared features. */
  strays: string[];
  names: string[];
  print: Invocation['print'];
}

function check({ settings, features, strays, names, print }: CheckJob): number {
  const checked = features.map((feature) => ({
    feature: feature.name,
    problems: checkLock(createLookup(settings, feature)),
  }));
  const differences = [
    ...checked.flatMap(({ feature, problems }) =>
      problems.map(({ what, remedy }) => `${feature}: ${what}. Now: ${remedy}`),
    ),
    ...strays.map((dir) => `${dir} locks a feature that is not declared. Now: npx annex lock`),
    ...listTemporaries(settings.core.root).map(
      (path) => `${path} is left from an interrupted command. Now: npx annex lock`,
    ),
  ];
  for (const line of differences) warn(line);
  warnOfCopies(settings, features);
  const diffs = checked.flatMap(({ feature, problems: [problem] }) =>
    problem?.diff === undefined ? [] : { feature, diff: problem.diff },
  );
  const lines =
    differences.length > 0
      ? diffs.flatMap(({ feature, diff }) => [`${feature}: would change`, ...indentDiff(diff)])
      : features.map(({ name }) => `${name}: locked`);
  print(lines.join('\n'), { differences, diffs }, settings);
  return toExitCode(differences.length === 0, names, settings);
}
