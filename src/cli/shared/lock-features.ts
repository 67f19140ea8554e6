/** Locks features and reports the results, for every command that locks. */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createLookup } from '../../app/lookup.ts';
import { LOCK_FILES } from '../../app/pin.ts';
import { AnnexError } from '../../base/error.ts';
import { refuseByFileError } from '../../base/file-error.ts';
import { messageOf } from '../../base/thrown.ts';
import { startTimeLimit } from '../../base/time-limit.ts';
import { refuseByTime } from '../../install/stop.ts';
import { checkLock } from '../../lock/check.ts';
import { describeDiff } from '../../lock/describe-diff.ts';
import type { LockDiff } from '../../lock/diff.ts';
import { listDrifts } from '../../lock/drift.ts';
import { type Replacement, removeEmpty, replaceFiles } from '../../lock/replace.ts';
import { lockFeature } from '../../lock/write.ts';
import { nameUnset } from '../../registry/failure.ts';
import { findUnset } from '../../registry/npmrc.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Refusal } from '../../types.ts';
import type { Options } from './command.ts';
import { printFailures } from './failures.ts';

/** Result of locking one feature, as `--json` prints it. */
export type LockResult =
  | {
      feature: string;
      outcome: 'locked' | 'unchanged';
      dir?: string;
      packages?: number;
      shared?: string[];
      /** What differs from the previous lock, if that is known. */
      diff?: LockDiff;
    }
  /** The lock of an undeclared feature, named by its directory. */
  | { feature: string; outcome: 'removed'; dir: string }
  | { feature: string; outcome: 'failed'; refusal: Refusal };

/** Options of locking. */
interface Locking {
  /** Minimum age of a version in days. */
  minAge?: number | undefined;
  /** Whether to take the newest versions; by default locked versions stay. */
  isUpdate?: boolean;
  /** Receives the files of each lock; by default they are written at once. */
  write?: (files: Replacement[]) => void;
}

/** Locks features one after the other, and then prints the failures on stderr. */
export async function lockAll(
  settings: Settings,
  features: Feature[],
  locking: Locking = {},
): Promise<LockResult[]> {
  const results: LockResult[] = [];
  for (const feature of features) {
    results.push(await lockOne(settings, feature, locking));
  }
  printFailures(results, 'cannot be locked');
  return results;
}

async function lockOne(
  settings: Settings,
  feature: Feature,
  { minAge, isUpdate = false, write = replaceFiles }: Locking,
): Promise<LockResult> {
  const { name, refusal: invalid } = feature;
  if (invalid !== undefined) return { feature: name, outcome: 'failed', refusal: invalid };
  const unchanged: LockResult = { feature: name, outcome: 'unchanged' };
  const lookup = createLookup(settings, feature);
  const isFollowing = listDrifts(lookup).some(({ isFit }) => isFit);
  if (!isUpdate && !isFollowing && checkLock(lookup).length === 0) return unchanged;
  const signal = startTimeLimit(settings.timeout);
  try {
    const { files, sidecar, ...made } = await lockFeature({ lookup, signal, minAge, isUpdate });
    if (files.every(isWritten)) return unchanged;
    write(files);
    return { feature: name, outcome: 'locked', ...made, shared: Object.keys(sidecar.shared) };
  } catch (error) {
    return { feature: name, outcome: 'failed', refusal: explainFailure(error, signal, settings) };
  }
}

/** Why a step of a feature failed: its error, or that the time for it is over. */
export function explainFailure(error: unknown, signal: AbortSignal, settings: Settings): Refusal {
  if (signal.aborted) return refuseByTime(settings);
  if (error instanceof AnnexError) return nameUnset(error.refusal, findUnset(settings));
  const hint = 'make that path writable for the user of this process';
  return { ...refuseByFileError(error, ''), reason: messageOf(error), hint };
}

/** The number of days in `--min-age`; undefined without it. */
export const readMinAge = ({ 'min-age': days }: Options): number | undefined =>
  days === undefined ? undefined : Number(days);

function isWritten({ path, text }: Replacement): boolean {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
}

/** Removes the files of a lock, the one that marks it as a lock last. Other files stay. */
export function removeLock(dir: string): void {
  for (const name of LOCK_FILES.toReversed()) rmSync(join(dir, name), { force: true });
  removeEmpty(dir, dirname(dirname(dir)));
}

/** Describes a result, with what it changes; a failure not at all. */
export const describeLock = (result: LockResult): string[] =>
  result.outcome === 'failed' ? [] : [describeDone(result)];

/**
 * Describes a result that is no failure.
 *
 * @param verb what became of a lock that is new
 */
export function describeDone(
  result: Exclude<LockResult, { outcome: 'failed' }>,
  verb = 'locked',
): string {
  const { feature, outcome } = result;
  if (outcome === 'removed') {
    return `${feature}: is not declared, its lock was removed (${result.dir})`;
  }
  if (outcome === 'unchanged') return `${feature}: locked already`;
  const { dir, packages, shared = [], diff } = result;
  const fromCore = shared.length === 0 ? '' : `; shared with core: ${shared.join(', ')}`;
  const locked = `${feature}: ${verb} in ${dir} (packages: ${packages}${fromCore})`;
  return [locked, ...indentDiff(diff)].join('\n');
}

/** The lines of a difference, below the line of its feature. */
export const indentDiff = (diff: LockDiff | undefined): string[] =>
  diff === undefined ? [] : describeDiff(diff).map((line) => `  ${line}`);
