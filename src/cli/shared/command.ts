/** The shape of a command, and the steps that commands share. */
import type { CoreManifest } from '../../app/core-root.ts';
import { type LoadedSettings, loadSettings } from '../../app/settings.ts';
import { isInstaller } from '../../base/environment.ts';
import { AnnexError, toRefusal } from '../../base/error.ts';
import { writeLine } from '../../base/log.ts';
import { composeNotice } from '../../base/messages.ts';
import { readCwd, toRealPath } from '../../base/paths.ts';
import { messageOf } from '../../base/thrown.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { findFeature, refuseUndeclared } from '../../status/status.ts';
import { findStoreDistrust } from '../../store/access.ts';
import type { ErrorCode, Refusal } from '../../types.ts';
import { readNearestManifest } from './edit-manifest.ts';
import { inStores } from './in-stores.ts';
import { findWidth, paint } from './terminal.ts';

/** Options of all commands, by name. A command gets those of its row. */
export interface Options {
  all?: boolean;
  check?: boolean;
  core?: string;
  days?: string;
  directory?: string;
  'dry-run'?: boolean;
  feature?: string;
  format?: string;
  from?: string;
  graph?: string[];
  help?: boolean;
  json?: boolean;
  metrics?: boolean;
  'min-age'?: string;
  oci?: boolean;
  online?: boolean;
  optional?: boolean;
  output?: string;
  quiet?: boolean;
  repair?: boolean;
  require?: boolean;
  state?: string;
  store?: string;
  version?: boolean;
  within?: string;
  yes?: boolean;
}

/** A parsed command line. */
export interface Invocation {
  args: string[];
  options: Options;
  /** Prints the text, or with --json the data, beside the application and the store. */
  print: (text: string, data: Record<string, unknown>, place?: Place) => void;
}

/** The application of a command, and its store. Settings are one. */
export interface Place {
  core: { root: string };
  store?: string | undefined;
}

/** The exit code, or what is wrong with the arguments. */
export type Result = number | string;

/**
 * Runs a command.
 *
 * @throws AnnexError, which is printed, with exit code 1
 */
export type Command = (invocation: Invocation) => Result | Promise<Result>;

let found: Place | undefined;

/** The application that this command has found so far; undefined before, and without one. */
export const findPlace = (): Place | undefined => found;

/** Records the application that the command is about: the output of a failure names it. */
export const recordPlace = (place: Place): void => {
  found = place;
};

/** Prints one line on stderr. */
export const warn = (line: string): void => {
  writeLine(2, `annex: ${line}`);
};

/** Prints the message of an error on stderr. */
export const printError = (error: unknown): void => {
  writeLine(2, error instanceof AnnexError ? error.message : `annex: ${messageOf(error)}`);
};

/** Says on a terminal which application a command uses, and which store. An installer says nothing. */
export function showPlace({ core, store }: Place): void {
  if (findWidth(2) === undefined || isInstaller()) return;
  const where = store === undefined ? '' : `, store ${store}`;
  writeLine(2, paint('dim', `application ${core.root}${where}`, 2));
}

/** Makes the error of a command that changed nothing. */
export const refuse = (
  reason: string,
  hint: string,
  code: ErrorCode = 'ANNEX_INVALID_CONFIG',
): AnnexError => new AnnexError({ code, reason, hint });

/**
 * The real path of the store.
 *
 * @param action what the command does to it: `pruned`
 * @throws AnnexError when there is no store, it cannot be read, or this user must not trust it
 */
export function requireStore(settings: Settings, action: string): string {
  const { store } = settings;
  const problem =
    store === undefined ? 'there is no store' : inStores(settings, () => findStoreDistrust(store));
  if (store !== undefined && problem === undefined) return toRealPath(store);
  const hint = 'set ANNEX_STORE to a directory of this user';
  throw refuse(`nothing was ${action}: ${problem}`, hint, 'ANNEX_STORE_UNUSABLE');
}

/**
 * The exit code of a command for declared features. An error in the declaration outside of its features
 * can hide a feature, so a command for all features then fails.
 *
 * @param names features on the command line; empty for all features
 */
export const toExitCode = (isDone: boolean, names: string[], { declaration }: Settings): number =>
  isDone && (names.length > 0 || declaration.refusals.length === 0) ? 0 : 1;

/** Printed by a command for all features when the application declares no feature. */
export const describeNone = ({ core }: Settings): string =>
  `no features are declared in ${core.root}/package.json. Now: npx annex init`;

type Done<T> = Exclude<T, { outcome: 'failed' }>;

/**
 * Prints the result of each feature. Failures were printed on stderr, when they happened.
 *
 * @returns the exit code
 */
export function printResults<T extends { outcome: string }>(
  results: readonly T[],
  describe: (result: Done<T>) => string,
  { names, settings, print }: { names: string[]; settings: Settings; print: Invocation['print'] },
): number {
  const done = results.filter((result): result is Done<T> => result.outcome !== 'failed');
  const text = results.length === 0 ? describeNone(settings) : done.map(describe).join('\n');
  print(text, { results }, settings);
  return toExitCode(done.length === results.length, names, settings);
}

/**
 * Loads the settings of the application above the working directory, and prints their notices.
 *
 * @param baked a directory that is filled while an image is built
 * @param core an application whose package.json is about to be replaced
 * @param isQuiet whether not to name the application on a terminal
 * @throws AnnexError when there is no application, or annex cannot serve it
 */
export function readSettings({
  baked,
  core,
  isQuiet = false,
}: {
  baked?: string;
  core?: CoreManifest;
  isQuiet?: boolean;
} = {}): Settings {
  const place = { script: undefined, cwd: readCwd(), self: undefined };
  const loaded = loadSettings({ ...place, core, baked });
  if (loaded.settings === undefined) throw new AnnexError(explainNoApplication(loaded));
  recordPlace(loaded.settings);
  // The process that started an installer has printed them.
  const notices = isInstaller() ? [] : loaded.settings.notices;
  for (const notice of notices) writeLine(2, composeNotice(notice));
  if (core === undefined && !isQuiet) showPlace(loaded.settings);
  return loaded.settings;
}

/** Why there is no application: no package.json declares features, or the nearest one cannot be read. */
export function explainNoApplication({
  isProblem,
  refusal,
}: Exclude<LoadedSettings, { settings: Settings }>): Refusal {
  const cwd = readCwd();
  if (isProblem || cwd === undefined) return refusal;
  try {
    readNearestManifest(cwd, `${refusal.reason}: `);
    return refusal;
  } catch (error) {
    return toRefusal(error, () => refusal);
  }
}

/**
 * The features of these names, each once; without names all of them.
 *
 * @throws AnnexError for a name that is not declared
 */
export function selectFeatures(settings: Settings, names: string[]): Feature[] {
  if (names.length === 0) return [...settings.declaration.features.values()];
  const found = names.map((name) => {
    const feature = findFeature(settings, name);
    if (feature !== undefined) return feature;
    throw new AnnexError(refuseUndeclared(settings, name), { feature: name });
  });
  return [...new Set(found)];
}
