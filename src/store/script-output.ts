/** The output of install scripts that failed, kept for the person who has to find out why. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from '../base/messages.ts';
import { FAILURES, outputName, versionRoot } from '../base/store-layout.ts';
import { type DirHandle, sampleNames } from './directory.ts';
import { attempt, changeFailures, inFailures, replaceIn } from './failure-directory.ts';
import { tryRemoveIn } from './tree.ts';

/** The last characters of an output that are kept. */
const MOST_OUTPUT = 2 ** 20;
/** Age after which a file goes when another one is written, ms. */
const KEPT_OUTPUT = 14 * 24 * 3_600_000;
/** Names that one sweep looks at: others can create any number of them. */
const MOST_NAMES = 1_000;

/**
 * Keeps the output of an install script, without credentials, until the feature is installed or
 * its script fails again.
 *
 * @returns the path of the file; undefined when it could not be written
 */
export function writeOutput(store: string, slug: string, output: string): string | undefined {
  const file = outputName(slug);
  const isWritten = changeFailures(store, (dir) => {
    sweepOutputs(dir, Date.now() - KEPT_OUTPUT);
    replaceIn(dir, file, `${redact(output).slice(-MOST_OUTPUT)}\n`);
  });
  return isWritten ? toPath(store, slug) : undefined;
}

/** The path of the output that is kept for a feature; undefined when there is none. */
export function findOutput(store: string, slug: string): string | undefined {
  let isFile = false;
  attempt(() => {
    isFile = inFailures(store, (dir) => lstatSync(dir.at(outputName(slug))).isFile());
  });
  return isFile ? toPath(store, slug) : undefined;
}

/** What a person does with an output. */
export const describeOutput = (file: string): string => `read what it printed, in ${file}`;

const toPath = (store: string, slug: string): string =>
  join(versionRoot(store), FAILURES, outputName(slug));

function sweepOutputs(dir: DirHandle, before: number): void {
  const logs = sampleNames(dir, MOST_NAMES).filter((name) => name.endsWith('.log'));
  for (const name of logs.slice(0, 100)) {
    const stat = lstatSync(dir.at(name), { throwIfNoEntry: false });
    if (stat !== undefined && stat.mtimeMs < before) tryRemoveIn(dir, name);
  }
}
