/** What every command is, and what they share. */
import type { ReadManifest } from '../app/core.ts';
import { loadSettings } from '../app/settings.ts';
import { writeLine } from '../base/log.ts';
import { composeNotice } from '../base/messages.ts';
import { messageOf } from '../base/thrown.ts';
import { isInstaller } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findFeature } from '../status/status.ts';
import { measureTree } from '../store/tree.ts';
import { readNearestManifest } from './edit-manifest.ts';

/** A command line, taken apart. */
export interface Invocation {
  args: string[];
  options: {
    all?: boolean | undefined;
    check?: boolean | undefined;
    days?: string | undefined;
    'dry-run'?: boolean | undefined;
    feature?: string | undefined;
    format?: string | undefined;
    from?: string | undefined;
    json?: boolean | undefined;
    'min-age'?: string | undefined;
    repair?: boolean | undefined;
    require?: boolean | undefined;
  };
  /** Prints the text, or with --json the data. */
  print: (text: string, data: unknown) => void;
}

/** Runs a command. @returns the exit code; undefined when it was called wrongly */
export type Command = (invocation: Invocation) => number | undefined | Promise<number | undefined>;

/** Prints one line on stderr. */
export const warn = (line: string): void => {
  writeLine(2, `annex: ${line}`);
};

/** Days, at most a hundred years of them; NaN for anything else. */
export const parseDays = (text: string): number =>
  /^\d{1,5}(\.\d+)?$/.test(text) && Number(text) <= 36_500 ? Number(text) : Number.NaN;

/** Size of an entry in bytes; undefined when not all of it may be looked at. */
export function measure(dir: string): number | undefined {
  try {
    return measureTree(dir);
  } catch {
    return undefined;
  }
}

/**
 * The exit code of a command that covers what is declared: a declaration that is wrong outside of its
 * features may miss one, so a command over all of them has not done everything.
 */
export const toExitCode = (isDone: boolean, names: string[], { declaration }: Settings): number =>
  isDone && (names.length > 0 || declaration.refusals.length === 0) ? 0 : 1;

/** A size as a person reads it. */
export const tellSize = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * The settings as seen from the working directory; says what is wrong with them, or that there are
 * none.
 *
 * @param baked a directory that is filled while an image is built
 * @param core an application whose package.json is about to be replaced
 */
export function findSettings({
  baked,
  core,
}: {
  baked?: string;
  core?: ReadManifest;
} = {}): Settings | undefined {
  const place = { script: undefined, cwd: process.cwd(), self: undefined };
  const loaded = loadSettings({ ...place, core, baked });
  if (loaded.settings !== undefined) {
    // The process that started an installer has reported them.
    const notices = isInstaller() ? [] : loaded.settings.notices;
    for (const notice of notices) writeLine(2, composeNotice(notice));
    return loaded.settings;
  }
  const { isProblem, refusal } = loaded;
  const problem = isProblem ? undefined : findManifestProblem();
  const why =
    problem === undefined
      ? refusal
      : { ...refusal, reason: `${refusal.reason}: ${problem}`, hint: 'correct that file' };
  writeLine(2, composeNotice(why));
  return undefined;
}

/** Why the nearest package.json declares nothing: it cannot be read. */
function findManifestProblem(): string | undefined {
  try {
    readNearestManifest(process.cwd());
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * The features of these names, each once, or all that are declared; undefined, after a line, when one
 * is not declared.
 */
export function findFeatures(settings: Settings, names: string[]): Feature[] | undefined {
  if (names.length === 0) return [...settings.declaration.features.values()];
  const found = new Set<Feature>();
  for (const name of names) {
    const feature = findFeature(settings, name);
    if (feature === undefined) {
      const known = [...settings.declaration.features.keys()].join(', ') || 'none';
      warn(
        `${name} unavailable (ANNEX_INVALID_CONFIG): it is not declared in ` +
          `${settings.core.root}/package.json. Declared: ${known}. ` +
          'Now: declare it: npx annex add NAME@RANGE',
      );
      return undefined;
    }
    found.add(feature);
  }
  return [...found];
}
