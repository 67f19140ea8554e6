/** annex outdated */
import { createLookup } from '../../app/lookup.ts';
import { writeLine } from '../../base/log.ts';
import { composeMessage } from '../../base/messages.ts';
import { type ComparedVersions, compareVersionsOf } from '../../lock/outdated.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Refusal } from '../../types.ts';
import { type Command, readSettings, selectFeatures, toExitCode } from '../shared/command.ts';
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
  const results: OutdatedResult[] = [];
  for (const feature of selectFeatures(settings, args)) {
    const result = await compareOne(settings, feature, minAge);
    if (result.outcome === 'failed') {
      writeLine(2, composeMessage(result.refusal, { feature: feature.name }));
    }
    results.push(result);
  }
  print(format(results), { results }, settings);
  const isDone = results.every(({ outcome }) => outcome === 'current' || outcome === 'unlocked');
  return toExitCode(isDone, args, settings);
};

async function compareOne(
  settings: Settings,
  feature: Feature,
  minAge: number | undefined,
): Promise<OutdatedResult> {
  const { name } = feature;
  const lookup = createLookup(settings, feature);
  const { pin, refusal } = lookup.readLock();
  const invalid = feature.refusal ?? refusal;
  if (invalid !== undefined) return { feature: name, outcome: 'failed', refusal: invalid };
  if (pin === undefined) return { feature: name, outcome: 'unlocked' };
  const signal = AbortSignal.timeout(settings.timeout);
  try {
    const packages = await compareVersionsOf({ lookup, signal, minAge }, pin);
    const isOutdated = packages.some((one) => one.isOutdated);
    return { feature: name, outcome: isOutdated ? 'outdated' : 'current', packages };
  } catch (error) {
    return { feature: name, outcome: 'failed', refusal: explainFailure(error, signal, settings) };
  }
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
  return [...(lines.length === 0 ? [] : [table]), ...unlocked].join('\n');
}

function describeNotes({ isBlocked, preferred, wanted }: ComparedVersions): string {
  return [
    ...(isBlocked ? [`${wanted} is blocked`] : []),
    ...(preferred === null || preferred === wanted ? [] : [`developed with ${preferred}`]),
  ].join(', ');
}
