/** annex lock [FEATURE...] [--check] [--min-age DAYS] */
import { listShippedBlocked } from '../blocked.ts';
import { composeMessage, messageOf, refuseByFileError } from '../errors.ts';
import { checkLock, listStrayLocks } from '../install/check-lock.ts';
import { refuseByTime } from '../install/install.ts';
import { lockFeature } from '../install/lock.ts';
import { writeLine } from '../log.ts';
import { tabulateConflicts } from '../plan/conflicts.ts';
import { findDeclarationProblem } from '../refusals.ts';
import type { Feature, Refusal, Settings } from '../types.ts';
import { type Command, findFeatures, findSettings, parseDays, warn } from './command.ts';

/** Locks features; with --check only says what differs, from the disk alone. */
export const lock: Command = async ({ args, options, print }) => {
  const minAge = options['min-age'] === undefined ? undefined : parseDays(options['min-age']);
  if (Number.isNaN(minAge)) return undefined;
  if (options.check === true && minAge !== undefined) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const { features: declared } = settings.declaration;
  const features = args.length === 0 ? [...declared.values()] : findFeatures(settings, args);
  if (features === undefined) return 1;
  if (options.check === true) {
    const strays = args.length === 0 ? listStrayLocks(settings) : [];
    const differences = [...features.flatMap((one) => checkLock(settings, one)), ...strays];
    for (const line of [...differences, ...listShippedBlocked(settings)]) warn(line);
    const whole = features.map(({ name }) => `${name}: locked`).join('\n');
    print(differences.length === 0 ? whole : '', { differences });
    return differences.length === 0 ? 0 : 1;
  }
  const results = await lockAll(settings, features, minAge);
  print(results.flatMap(describe).join('\n'), results);
  return results.every(({ outcome }) => outcome !== 'failed') ? 0 : 1;
};

/** What `annex lock --json` says of a feature. */
export type LockResult =
  | {
      feature: string;
      outcome: 'locked' | 'unchanged';
      dir?: string;
      packages?: number;
      shared?: string[];
    }
  | { feature: string; outcome: 'failed'; refusal: Refusal };

/** Locks features one after the other; what failed has been said on stderr. */
export async function lockAll(
  settings: Settings,
  features: Feature[],
  minAge?: number,
): Promise<LockResult[]> {
  const results: LockResult[] = [];
  for (const feature of features) {
    const result = await lockOne(settings, feature, minAge);
    if (result.outcome === 'failed') {
      writeLine(2, composeMessage(result.refusal, { feature: feature.name }));
      const { conflicts } = result.refusal;
      if (conflicts !== undefined) writeLine(2, tabulateConflicts(conflicts));
    }
    results.push(result);
  }
  return results;
}

async function lockOne(
  settings: Settings,
  feature: Feature,
  minAge: number | undefined,
): Promise<LockResult> {
  const { name } = feature;
  const wrong = findDeclarationProblem(settings, feature);
  if (wrong !== undefined) return { feature: name, outcome: 'failed', refusal: wrong };
  if (checkLock(settings, feature).length === 0) return { feature: name, outcome: 'unchanged' };
  const signal = AbortSignal.timeout(settings.timeout);
  const fail = (why: Refusal): LockResult => {
    const refusal = signal.aborted ? refuseByTime(settings) : why;
    return { feature: name, outcome: 'failed', refusal };
  };
  try {
    const locked = await lockFeature({ settings, feature, signal, minAge });
    if ('code' in locked) return fail(locked);
    const { dir, packages, sidecar } = locked;
    return { feature: name, outcome: 'locked', dir, packages, shared: Object.keys(sidecar.shared) };
  } catch (error) {
    const hint = 'make that path one that the user of this process can write to';
    return fail({ ...refuseByFileError(error, ''), reason: messageOf(error), hint });
  }
}

/** What is printed of a feature; of a failure it has been said. */
export function describe(result: LockResult): string[] {
  if (result.outcome === 'failed') return [];
  if (result.outcome === 'unchanged') return [`${result.feature}: locked already`];
  const { feature, dir, packages, shared = [] } = result;
  const taken = shared.length === 0 ? '' : `, and from core ${shared.join(', ')}`;
  return [`${feature}: locked in ${dir} (packages: ${packages}${taken})`];
}
