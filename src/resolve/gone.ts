/** Explains why a file of an entry cannot be loaded: its store is gone, or it is not a regular file. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { basename } from 'node:path';
import { AnnexError, explain } from '../base/error.ts';
import { relativeTo } from '../base/store-layout.ts';
import type { Settings } from '../settings/settings.ts';
import { nameCommand } from '../status/refusals.ts';
import { findEntryFeature } from '../store/finder.ts';
import type { Refusal } from '../types.ts';
import type { Outcome, Request } from './request.ts';

/** The refusal for an entry that cannot be reached; undefined when it can, whatever it contains. */
export function findGone(entry: string): Refusal | undefined {
  if (readStats(entry)?.isDirectory()) return undefined;
  return {
    code: 'ANNEX_STORE_UNUSABLE',
    reason: `${entry} cannot be reached: its store was unmounted, renamed or replaced, or the entry removed`,
    hint: 'restore the store as it was when this process started, then start the process again',
  };
}

/** Whether a path exists and this process can reach it; false after any error of the file system. */
export const isReachable = (path: string): boolean => readStats(path) !== undefined;

function readStats(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Returns the path of a pipe, socket or device, and undefined for any other: Node would wait for their end. */
export function findSpecial(path: string | undefined): string | undefined {
  try {
    const stat = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    return stat === undefined || stat.isFile() || stat.isDirectory() ? undefined : path;
  } catch {
    return undefined;
  }
}

const refuseSpecial = (path: string, settings: Settings): Refusal => ({
  code: 'ANNEX_INTEGRITY',
  reason: `${path} is not a regular file`,
  hint: `${nameCommand(settings, 'verify --repair')}, then start the process again`,
});

/** Why an answer from an entry is lost. */
export interface Loss {
  entry: string;
  /** The path of the answer, when it is not a regular file. */
  special: string | undefined;
}

const findLossRefusal = ({ entry, special }: Loss, settings: Settings): Refusal | undefined =>
  findGone(entry) ?? (special === undefined ? undefined : refuseSpecial(special, settings));

/** Gives an error about a lost file of an entry its cause; returns every other outcome unchanged. */
export function explainLoss<R>(
  outcome: Outcome<R>,
  loss: Loss,
  { specifier, parent }: Request,
  settings: Settings,
): Outcome<R> {
  const refusal = 'error' in outcome ? findLossRefusal(loss, settings) : undefined;
  if (refusal === undefined || !('error' in outcome)) return outcome;
  const { entry } = loss;
  const feature = findEntryFeature(settings, entry)?.name ?? basename(entry);
  const asker = parent && relativeTo(settings.core.root, parent);
  const cause = new AnnexError(refusal, { feature, specifier, asker });
  return { error: explain(outcome.error, cause) };
}
