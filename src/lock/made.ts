/** Says when the content of a lock last changed, and which annex and npm wrote it. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_LOCK, type Made, type Sidecar } from '../app/pin.ts';
import { currentEnv, type Variables } from '../base/environment.ts';
import { AnnexError } from '../base/error.ts';
import { readJson } from '../base/files.ts';
import { version } from '../base/own-files.ts';
import { isObject } from '../base/shape.ts';
import { isTransient } from '../base/thrown.ts';
import { describeNpmFailure } from '../registry/npm-failure.ts';
import { callNpm } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';

/** What the facts about a new lock are made from. */
export interface MadeJob {
  settings: Settings;
  /** A temporary directory. */
  dir: string;
  signal: AbortSignal;
}

/**
 * Adds the facts to a sidecar. With the content of the previous lock it is the previous sidecar, so that locking
 * again changes no byte; a lock from before there were facts stays without.
 *
 * @param path of the previous annex.json
 * @throws AnnexError when npm does not tell its version
 */
export async function addMade(sidecar: Sidecar, path: string, job: MadeJob): Promise<Sidecar> {
  const previous = readPrevious(path);
  if (previous !== undefined) {
    const { made: _, ...content } = previous;
    if (JSON.stringify(content) === JSON.stringify(sidecar)) return previous;
  }
  const made: Made = { date: findDate(), annex: version, npm: await askVersion(job) };
  return { ...sidecar, made };
}

function readPrevious(path: string): Sidecar | undefined {
  try {
    const previous = readJson(path, MAX_LOCK, 'follow');
    return isObject(previous) ? (previous as unknown as Sidecar) : undefined;
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}

/**
 * The present, or the time that a reproducible build names.
 *
 * @returns in ISO format, without fractions of a second
 * @example findDate({ SOURCE_DATE_EPOCH: '0' }) // '1970-01-01T00:00:00Z'
 */
export const findDate = (env: Variables = currentEnv()): string =>
  findBuildDate(env) ?? toSeconds(Date.now());

/**
 * The time that a reproducible build names; undefined without one.
 *
 * @returns in ISO format, without fractions of a second
 * @see https://reproducible-builds.org/specs/source-date-epoch/
 */
export const findBuildDate = (
  { SOURCE_DATE_EPOCH: epoch = '' }: Variables = currentEnv(),
): string | undefined => (/^\d{1,12}$/.test(epoch) ? toSeconds(Number(epoch) * 1000) : undefined);

const toSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

async function askVersion({ settings, dir, signal }: MadeJob): Promise<string> {
  const cwd = mkdtempSync(join(dir, 'version-'));
  const env = readInstallerEnv(settings);
  const end = await callNpm({ args: ['--version'], cwd, core: settings.core.root, env, signal });
  if (end.failed) throw new AnnexError(describeNpmFailure(end));
  return end.stdout.trim();
}
