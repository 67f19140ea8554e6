/** Says why nothing of an entry can be loaded any more: its store went away under the process. */
import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { AnnexError, explain } from '../errors.ts';
import { parseEntryName, relativeTo } from '../store/layout.ts';
import type { Refusal, Settings } from '../types.ts';
import type { Outcome, Request } from './request.ts';

/** @returns undefined when the entry is there, whatever it holds */
export function findGone(entry: string): Refusal | undefined {
  if (isDirectory(entry)) return undefined;
  return {
    code: 'ANNEX_STORE_UNUSABLE',
    reason: `${entry} cannot be reached: its store was unmounted, renamed or replaced, or the entry removed`,
    hint: 'bring the store back as it was when this process started, then start the process again',
  };
}

/** Whether a path is a directory that can be reached. */
export function isDirectory(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** Gives an error for a file of an entry that went away its cause; leaves every other outcome as it is. */
export function explainGone<R>(
  outcome: Outcome<R>,
  entry: string,
  { specifier, parent }: Request,
  { core, declaration }: Settings,
): Outcome<R> {
  const refusal = 'error' in outcome ? findGone(entry) : undefined;
  if (refusal === undefined || !('error' in outcome)) return outcome;
  const slug = parseEntryName(basename(entry))?.slug;
  const features = [...declaration.features.values()];
  const feature = features.find((each) => each.slug === slug)?.name ?? basename(entry);
  const askedBy = parent && relativeTo(core.root, parent);
  const cause = new AnnexError(refusal, { feature, specifier, askedBy });
  return { error: explain(outcome.error, cause) };
}
