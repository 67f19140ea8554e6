/** annex lock */
import { basename } from 'node:path';
import { createLookup } from '../../app/lookup.ts';
import { checkLock, describeLeftovers, listStrayLocks } from '../../lock/check.ts';
import { readLockedPart } from '../../lock/locked.ts';
import { checkRecorded, type RecordedSignatures } from '../../lock/recorded.ts';
import { sweepTemporaries } from '../../lock/replace.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import {
  type Command,
  describeNone,
  type Invocation,
  printResults,
  readSettings,
  selectFeatures,
  toExitCode,
  warn,
} from '../shared/command.ts';
import { warnOfCopies } from '../shared/core-copies.ts';
import {
  describeDone,
  indentDiff,
  lockAll,
  readMinAge,
  removeLock,
} from '../shared/lock-features.ts';
import { withSignatures } from '../shared/signatures.ts';

/**
 * Locks features. Without names it locks all of them, and removes the locks of features that are not
 * declared. With --check it only reports what differs, without a network unless --online is given.
 */
export const lock: Command = async ({ args, options, print }) => {
  const minAge = readMinAge(options);
  const isOnline = options.online === true;
  if (isOnline && options.check !== true) return 'lock takes --online only with --check';
  const settings = readSettings();
  const features = selectFeatures(settings, args);
  const strays = args.length === 0 ? listStrayLocks(settings) : [];
  if (options.check === true)
    return check({ settings, features, strays, names: args, isOnline, print });
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
  /** Whether signatures and provenance are verified too. */
  isOnline: boolean;
  print: Invocation['print'];
}

async function check(job: CheckJob): Promise<number> {
  const { settings, features, strays, names, isOnline, print } = job;
  const checked = features.map((feature) => ({
    feature: feature.name,
    problems: checkLock(createLookup(settings, feature)),
  }));
  const signatures = isOnline ? await checkSignatures(settings, features) : undefined;
  const differences = [
    ...checked.flatMap(({ feature, problems }) =>
      problems.map(({ what, remedy }) => `${feature}: ${what}. Now: ${remedy}`),
    ),
    ...(signatures ?? []).flatMap(({ feature, problems }) =>
      problems.map((what) => `${feature}: ${what}. Now: npx annex audit signatures ${feature}`),
    ),
    ...describeLeftovers(strays, settings.core.root).map((what) => `${what}. Now: npx annex lock`),
  ];
  for (const line of differences) warn(line);
  warnOfCopies(settings, features);
  const diffs = checked.flatMap(({ feature, problems: [problem] }) =>
    problem?.diff === undefined ? [] : { feature, diff: problem.diff },
  );
  const none = features.length === 0 ? [describeNone(settings)] : [];
  const lines =
    differences.length > 0
      ? diffs.flatMap(({ feature, diff }) => [`${feature}: would change`, ...indentDiff(diff)])
      : [
          ...none,
          ...features.map(({ name }) => `${name}: locked${describeSignatures(name, signatures)}`),
        ];
  const counts = signatures?.map(({ problems: _, ...count }) => count);
  print(lines.join('\n'), { differences, diffs, ...(counts && { signatures: counts }) }, settings);
  return toExitCode(differences.length === 0, names, settings);
}

type CheckedSignatures = RecordedSignatures & { feature: string };

/** That nothing is recorded is no difference, and must not look like success. */
function describeSignatures(name: string, signatures: CheckedSignatures[] = []): string {
  const found = signatures.find(({ feature }) => feature === name);
  if (found === undefined) return '';
  const { packages, verified, provenance } = found;
  return `; recorded signatures verified: ${verified} of ${packages}, provenance: ${provenance}`;
}

/** Compares what locks record of signatures and provenance with the registry. A lock that differs otherwise is reported already. */
async function checkSignatures(
  settings: Settings,
  features: Feature[],
): Promise<CheckedSignatures[]> {
  return withSignatures(settings, async (source) => {
    const checked: CheckedSignatures[] = [];
    for (const feature of features) {
      const part = readLockedPart(createLookup(settings, feature));
      if ('isExpected' in part) continue;
      checked.push({ feature: feature.name, ...(await checkRecorded(part, source)) });
    }
    return checked;
  });
}
