/** The API: ensure, load, isAvailable, status, composeMetrics, onEvent, AnnexError. */
import { inspect } from 'node:util';
import { createLookup, type Lookup, refreshLookup } from './app/lookup.ts';
import { readScript, resolveScript } from './app/script.ts';
import { type LoadedSettings, loadSettings } from './app/settings.ts';
import { isInstaller } from './base/environment.ts';
import { AnnexError } from './base/error.ts';
import { createLog } from './base/log.ts';
import { isMainThread } from './base/main-thread.ts';
import { hideAdditions } from './base/object-prototype.ts';
import { HERE } from './base/own-files.ts';
import { readCwd } from './base/paths.ts';
import { parseBareSpecifier } from './base/specifier.ts';
import { codeOf } from './base/thrown.ts';
import { exitInstaller, installOnce } from './hooks/run-installer.ts';
import { getActiveThread, getSharedSettings } from './resolve/active.ts';
import { createReporter } from './resolve/report.ts';
import { rememberInThread } from './resolve/thread.ts';
import type { Settings } from './settings/settings.ts';
import { fitRefusal, nameCommand } from './status/refusals.ts';
import {
  findFeature,
  findStatus,
  isUsable,
  refuseUndeclared,
  type StatusOptions,
} from './status/status.ts';
import { listStores } from './store/access.ts';
import { listRemembered } from './store/failures.ts';
import { createSurvey } from './store/survey.ts';
import type { FeatureStatus, LoaderKind, Refusal } from './types.ts';

export { AnnexError } from './base/error.ts';
export { type AnnexEvent, onEvent } from './base/events.ts';
export { composeMetrics, type InstallCounts, type MeasuredStatus } from './status/metrics.ts';
export type {
  ErrorCode,
  FeatureStatus,
  InstallTrace,
  RefuseMessage,
  ResolveTrace,
  VerifyTrace,
  Whereabouts,
} from './types.ts';

if (isMainThread && isInstaller()) exitInstaller();

/** Result of `status()`. */
export interface Status {
  /** How the loader is active in this thread. With `inactive`, imports do not see the store. */
  loader: LoaderKind;
  /** The core root; undefined when no package.json declares features. */
  core: string | undefined;
  /** The store and its layers, in the order of the search. */
  stores: string[];
  features: FeatureStatus[];
}

/** Options of `ensure`. */
export interface EnsureOptions {
  /** Ignores remembered failures of the feature and of hosts; denials and conflicts still apply. False by default. */
  retry?: boolean;
}

/**
 * Makes a feature available: resolves once an import of its packages succeeds, and installs it first if
 * needed. Never blocks the event loop. Without an active loader it installs as well, and writes one line to
 * stderr: imports of this process do not see the feature.
 *
 * @param feature a declared feature, or a package that a feature lists
 * @throws AnnexError why the feature is unavailable, and what to do about it
 * @example
 * await ensure('exa-js');
 * const { default: Exa } = await import('exa-js');
 */
export async function ensure(
  feature: string,
  { retry = false }: EnsureOptions = {},
): Promise<FeatureStatus> {
  const lookup = createDeclaredLookup(feature);
  const active = getActiveThread();
  // An invalid declaration is the cause itself, with or without a loader.
  if (active === undefined && lookup.feature.refusal === undefined) warnInactive(lookup.settings);
  const memory = retry && { memory: { ignored: listRemembered(lookup.settings.store ?? '') } };
  const before = hideAdditions(() =>
    readStatus(lookup, { verify: active?.chooseWhole, ...memory }),
  );
  if (isUsable(before)) return before;
  if (before.where !== 'missing') throw reportError(lookup, before.refusal as Refusal, false);
  await installAndReport(lookup, retry);
  const after = readStatus(refreshLookup(lookup));
  if (isUsable(after)) return after;
  const reason = after.refusal?.reason ?? 'it is not in the store after the install';
  const hint = nameCommand(lookup.settings, `why ${Object.keys(lookup.feature.packages)[0]}`);
  const failure: Refusal = { code: 'ANNEX_INSTALL_FAILED', reason, hint };
  throw new AnnexError(failure, { feature: lookup.feature.name });
}

/**
 * The types of packages by specifier, for `load`. An application adds its own:
 *
 * @example
 * declare module 'annex' {
 *   interface Packages { 'exa-js': typeof import('exa-js') }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: programs add to it
export interface Packages {}

/**
 * Installs a feature if needed, and imports one of its packages, as `import()` in the application would.
 *
 * @param specifier a package that a feature declares, or a subpath of it
 * @returns the namespace
 * @throws AnnexError as `ensure` does, and without an active loader; and errors of the package
 * @example const { default: Exa } = await load('exa-js');
 */
export function load<N extends string>(
  specifier: N,
): Promise<N extends keyof Packages ? Packages[N] : unknown>;
export function load<T>(specifier: string): Promise<T>;
export async function load(specifier: string): Promise<unknown> {
  requireString('specifier', specifier);
  const { feature, dir } = await ensure(parseBareSpecifier(specifier)?.name ?? specifier);
  try {
    return await import(specifier);
  } catch (error) {
    const isUnseen = dir !== undefined && getActiveThread() === undefined;
    if (!isUnseen || codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new AnnexError(INACTIVE, { feature, specifier }, { cause: error });
  }
}

/** The installs of a thread without an active loader. */
const running = new Map<string, Promise<void>>();

/** @throws AnnexError why the install failed */
async function installAndReport(lookup: Lookup, isRetry: boolean): Promise<void> {
  const { settings, feature } = lookup;
  const active = getActiveThread();
  try {
    await installOnce(active?.installs ?? running, settings, feature.name, isRetry);
  } catch (error) {
    const { refusal } = error as AnnexError;
    throw reportError(lookup, active ? rememberInThread(active, lookup, refusal) : refusal, true);
  }
}

/** Makes the error of a feature that is unavailable, and writes the line that an import would write. */
function reportError({ settings, feature }: Lookup, why: Refusal, isNew: boolean): AnnexError {
  const error = new AnnexError(fitRefusal(why, settings), { feature: feature.name });
  createReporter(settings)(feature, error, isNew);
  return error;
}

/**
 * Whether a feature can be imported now: core ships it in the declared range, or a store has a valid
 * entry. Never installs, never uses the network, never throws; false for a feature that is not declared.
 */
export const isAvailable = (feature: string): boolean =>
  hideAdditions(() => {
    const settings = findSettings();
    const declared = settings && findFeature(settings, feature);
    if (settings === undefined || declared === undefined) return false;
    return isUsable(readStatus(createLookup(settings, declared)));
  });

/** Where each feature is and why, and whether the loader is active. Never throws, never installs. */
export const status = (): Status =>
  hideAdditions(() => {
    const loader = getActiveThread()?.loader ?? 'inactive';
    const settings = findSettings();
    if (settings === undefined) return { loader, core: undefined, stores: [], features: [] };
    const look = createSurvey();
    const features = [...settings.declaration.features.values()].map((feature) =>
      readStatus(createLookup(settings, feature), { look }),
    );
    return { loader, core: settings.core.root, stores: listStores(settings), features };
  });

/** The status, with the damage and the failures that this thread knows of. */
function readStatus(lookup: Lookup, options: StatusOptions = {}): FeatureStatus {
  const { finder, failures } = getActiveThread() ?? {};
  const memory = { local: failures?.get(lookup.feature.name) };
  return findStatus(lookup, { damages: finder?.damages, memory, ...options });
}

/** The settings of a process without an active loader. */
let inactiveSettings: Settings | undefined;

function findSettings(): Settings | undefined {
  const active = getActiveThread();
  if (active !== undefined) return active.settings;
  inactiveSettings ??= getSharedSettings() ?? loadInactive().settings;
  return inactiveSettings;
}

const loadInactive = (): LoadedSettings =>
  loadSettings({ script: resolveScript(readScript()), cwd: readCwd(), self: HERE });

/** @throws TypeError for anything but a string, as Node does */
function requireString(argument: string, value: unknown): void {
  if (typeof value === 'string') return;
  throw new TypeError(`the argument "${argument}" is a string, not ${inspect(value)}`);
}

/** @throws AnnexError when no package.json declares features, or none declares this one */
function createDeclaredLookup(name: string): Lookup {
  requireString('feature', name);
  const settings = findSettings();
  const declared = settings && findFeature(settings, name);
  if (settings && declared) return createLookup(settings, declared);
  const loaded = settings ? { settings } : loadInactive();
  if (loaded.settings === undefined) throw new AnnexError(loaded.refusal, { feature: name });
  const refusal = refuseUndeclared(loaded.settings, name);
  const state = `${refusal.state}; other features unaffected`;
  throw new AnnexError({ ...refusal, state }, { feature: name });
}

const INACTIVE: Refusal = {
  code: 'ANNEX_INVALID_CONFIG',
  reason: 'the loader is not active, so imports of this process do not see the store',
  hint: "start with --import annex/loader.mjs, or import 'annex/register' first",
  state: 'The feature is installed',
};

let hasWarned = false;

function warnInactive({ log }: Settings): void {
  if (hasWarned) return;
  hasWarned = true;
  const line = `annex: ${INACTIVE.reason}: ${INACTIVE.hint}`;
  createLog(log)('error', line, { event: 'loader' });
}
