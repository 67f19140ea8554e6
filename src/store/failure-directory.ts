/** The directory of a store with remembered failures, and with the output of install scripts that failed. */
import { lstatSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from '../base/messages.ts';
import { FAILURES, outputName, VERSION, versionRoot } from '../base/store-layout.ts';
import { type DirHandle, ignoreErrors, makeIn, sampleNames, withDir } from './directory.ts';
import { removeIn, tryRemoveIn } from './tree.ts';

/** Characters kept from the end of an output. */
const MAX_OUTPUT = 2 ** 20;
/** Age at which an output is removed, ms. */
const MAX_AGE = 14 * 24 * 3_600_000;
/** Names read in one sweep: other users can create any number of them. */
const MAX_NAMES = 1_000;
/** Outputs whose age is compared in one sweep. */
const MAX_OUTPUTS = 100;

/**
 * Calls a function with the directory.
 *
 * @throws errors of the file system: ENOENT when nothing is remembered
 */
export const inFailures = <T>(store: string, use: (dir: DirHandle) => T): T =>
  withDir(store, [VERSION, FAILURES], use);

/** Makes the directory if it is missing, and changes it; returns whether that succeeded. */
export function changeFailures(store: string, use: (dir: DirHandle) => void): boolean {
  ignoreErrors(() => withDir(store, [VERSION], (dir) => makeIn(dir, FAILURES)));
  return ignoreErrors(() => inFailures(store, use));
}

/** Writes a whole file, or keeps the present one. */
export function replaceIn(dir: DirHandle, name: string, text: string): void {
  const temporary = `${name}.new`;
  removeIn(dir, temporary);
  try {
    writeFileSync(dir.at(temporary), text, { flag: 'wx' });
    renameSync(dir.at(temporary), dir.at(name));
  } catch (error) {
    tryRemoveIn(dir, temporary);
    throw error;
  }
}

/**
 * Keeps the output of an install script, without credentials, until the feature is installed or its script
 * fails again.
 *
 * @returns path of the file; undefined when it could not be written
 */
export function writeOutput(store: string, slug: string, output: string): string | undefined {
  const isWritten = changeFailures(store, (dir) => {
    removeOldOutputs(dir, Date.now() - MAX_AGE);
    replaceIn(dir, outputName(slug), `${redact(output).slice(-MAX_OUTPUT)}\n`);
  });
  return isWritten ? outputPath(store, slug) : undefined;
}

/** Path of the output that is kept for a feature; undefined without one. */
export function findOutput(store: string, slug: string): string | undefined {
  let isFile = false;
  ignoreErrors(() => {
    isFile = inFailures(store, (dir) => lstatSync(dir.at(outputName(slug))).isFile());
  });
  return isFile ? outputPath(store, slug) : undefined;
}

/** A hint that names an output. */
export const describeOutput = (file: string): string => `read what it printed, in ${file}`;

const outputPath = (store: string, slug: string): string =>
  join(versionRoot(store), FAILURES, outputName(slug));

function removeOldOutputs(dir: DirHandle, before: number): void {
  const outputs = sampleNames(dir, MAX_NAMES).filter((name) => name.endsWith('.log'));
  for (const name of outputs.slice(0, MAX_OUTPUTS)) {
    const stat = lstatSync(dir.at(name), { throwIfNoEntry: false });
    if (stat !== undefined && stat.mtimeMs < before) tryRemoveIn(dir, name);
  }
}
