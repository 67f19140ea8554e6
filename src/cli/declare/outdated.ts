/** annex outdated */
import { createLookup } from '../../app/lookup.ts';
import { AnnexError } from '../../base/error.ts';
import { startTimeLimit } from '../../base/time-limit.ts';
import { type ComparedVersions, compareFeatures } from '../../lock/outdated.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Refusal } from '../../types.ts';
import {
  type Command,
  describeNone,
  readSettings,
  selectFeatures,
  toExitCode,
} from '../shared/command.ts';
import { printFailures } from '../shared/failures.ts';
import { explainFailure, readMinAge } from '../shared/lock-features.ts';
import { composeTable } from '../shared/table.ts';
import { findWidth } from '../shared/terminal.ts';

/** Result of one feature, as `--json` prints it. */
type OutdatedResult = { feature: string } & (
  | { outcome: 'current' | 'outdated'; packages: ComparedVersions[] }
  | { outcome: 'unlocked' }
  | { outcome: 'failed'; refusal: Refusal }
);

const HEAD = ['package', 'locked', 'wanted', 'latest', 'range', 'feature', 'note'];

/** Compares locked versions with the newest ones; exits with 1 when one in a declared range is later. */
export const outdated: Command = async ({ args, options, print }) => {
  const minAge = readMinAge(options);
  const settings = readSettings();
  const results = await compareAll(settings, selectFeatures(settings, args), minAge);
  printFailures(results, 'cannot be compared with the registry');
  print(results.length === 0 ? describeNone(settings) : format(results), { results }, settings);
  const isDone = results.every(({ outcome }) => outcome === 'current' || outcome === 'unlocked');
  return toExitCode(isDone, args, settings);
};

async function compareAll(
  settings: Settings,
  features: Feature[],
  minAge: number | undefined,
): Promise<OutdatedResult[]> {
  const signal = startTimeLimit(settings.timeout);
  const lookups = features.map((feature) => createLookup(settings, feature));
  const locked = lookups.flatMap((lookup) => {
    const { pin } = lookup.readLock();
    return pin === undefined || lookup.feature.refusal !== undefined ? [] : [{ lookup, pin }];
  });
  let compared: Awaited<ReturnType<typeof compareFeatures>> | undefined;
  let failure: unknown;
  try {
    compared = await compareFeatures(locked, { settings, signal, minAge });
  } catch (error) {
    failure = error;
  }
  return lookups.map(({ feature, readLock }): OutdatedResult => {
    const { name } = feature;
    const { isLocked, refusal } = readLock();
    const invalid = feature.refusal ?? refusal;
    if (invalid !== undefined) return { feature: name, outcome: 'failed', refusal: invalid };
    if (!isLocked) return { feature: name, outcome: 'unlocked' };
    const packages = compared?.get(feature);
    if (packages === undefined || packages instanceof AnnexError) {
      const why = explainFailure(packages ?? failure, signal, settings);
      return { feature: name, outcome: 'failed', refusal: why };
    }
    const isOutdated = packages.some((one) => one.isOutdated);
    return { feature: name, outcome: isOutdated ? 'outdated' : 'current', packages };
  });
}

function format(results: OutdatedResult[]): string {
  const rows = results.flatMap((result) =>
    'packages' in result ? result.packages.map((one) => ({ ...one, feature: result.feature })) : [],
  );
  const unlocked = results.flatMap(({ feature, outcome }) =>
    outcome === 'unlocked' ? [`${feature}: is not locked`] : [],
  );
  const isNarrow = findWidth(1) !== undefined;
  const lines = rows.map((row) => [
    row.name,
    row.locked,
    row.wanted ?? '-',
    row.latest ?? '-',
    row.range,
    // On a terminal, where room is short, a name stands once.
    isNarrow && row.feature === row.name ? '' : row.feature,
    describeNotes(row),
  ]);
  const table = composeTable(HEAD, lines, (row, column) =>
    column === 0 && rows[row]?.isOutdated ? 'yellow' : undefined,
  );
  const late = rows.filter((row) => row.isOutdated).length;
  const counts = `${late} outdated, ${rows.length - late} current`;
  return [
    ...(lines.length === 0 ? [] : [table]),
    ...unlocked,
    ...(lines.length === 0 ? [] : ['', counts]),
  ].join('\n');
}

function describeNotes({ isBlocked, preferred, wanted }: ComparedVersions): string {
  return [
    ...(isBlocked ? [`${wanted} is blocked`] : []),
    ...(preferred === null || preferred === wanted ? [] : [`developed with ${preferred}`]),
  ].join(', ');
}
