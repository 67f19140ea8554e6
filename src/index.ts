/** The programming interface: ensure, isAvailable, status, AnnexError. */
import { readCwd } from './app/core.ts';
import { createLookup, type Lookup, refreshLookup } from './app/lookup.ts';
import { findEntryScript } from './app/script.ts';
import { loadSettings } from './app/settings.ts';
import { AnnexError } from './base/error.ts';
import { refuseDamage } from './base/file-error.ts';
import { createLog } from './base/log.ts';
import { hideAdditions } from './base/object-prototype.ts';
import { HERE } from './base/own-files.ts';
import { endImpostor } from './hooks/impostor.ts';
import { installAsync } from './hooks/run-installer.ts';
import { createTell } from './resolve/tell.ts';
import { getActiveThread, getSharedSettings, rememberFailure } from './resolve/thread.ts';
import type { Feature } from './settings/feature.ts';
import type { Settings } from './settings/settings.ts';
import { findInstallRefusal } from './status/refusals.ts';
import { findFeature, findStatus, isUsable } from './status/status.ts';
import type { Damaged } from './store/entry.ts';
import { listRemembered } from './store/failures.ts';
import { listStores } from './store/place.ts';
import type { FeatureStatus, InstallResult, LoaderKind, Refusal } from './types.ts';

export { AnnexError } from './base/error.ts';
export type { ErrorCode, FeatureStatus, Whereabouts } from './types.ts';

endImpostor();

/** What `status()` tells. */
export interface Status {
  /** How the loader is active in this thread; `inactive`: imports do not see the store. */
  loader: LoaderKind;
  /** The core root; undefined when no package.json declares features. */
  core: string | undefined;
  /** The store and the layers behind it, in the order in which they are searched. */
  stores: string[];
  features: FeatureStatus[];
}

/** How `ensure` goes about it. */
export interface EnsureOptions {
  /**
   * Try at once what failed a moment ago: a failure that is remembered, of the feature or of a host,
   * does not count. Denials and conflicts do. False by default.
   */
  retry?: boolean;
}

/**
 * Makes a feature available: resolves once an import of its packages will be answered, installing
 * it first when needed. Never blocks the event loop. Without an active loader the install happens
 * all the same, and one line on stderr says that imports of this process will not see it.
 *
 * @param feature a declared feature, or a package that one lists
 * @throws AnnexError why it is unavailable, and what to do about it
 * @example
 * await ensure('exa-js');
 * const { default: Exa } = await import('exa-js');
 */
export async function ensure(
  feature: string,
  { retry = false }: EnsureOptions = {},
): Promise<FeatureStatus> {
  const settings = requireSettings(feature);
  const declared = requireFeature(settings, feature);
  // Without a valid feature the loader has nothing to do: what is wrong with this one is the cause.
  if (getActiveThread() === undefined && declared.problem === undefined) warnInactive(settings);
  const lookup = createLookup(settings, declared);
  const before = hideAdditions(() => findStatus(lookup));
  const damaged = isUsable(before) ? findDamage(before, lookup) : undefined;
  if (isUsable(before) && damaged === undefined) return before;
  const local = retry ? undefined : getActiveThread()?.failures.get(declared.name);
  const ignored = retry ? listRemembered(settings.store ?? '') : undefined;
  const refusal =
    before.where === 'core outside range' || before.refusal?.isUnread === true
      ? before.refusal
      : findInstallRefusal(lookup, { local, ignored });
  if (refusal !== undefined) {
    // That it is blocked counts more than what keeps another one away.
    const told = before.refusal?.blocked === undefined ? refusal : before.refusal;
    const why = damaged === undefined ? told : refuseDamage(damaged, told);
    throw tell(settings, declared, why, false);
  }
  const result = await installOnce(settings, declared, retry);
  if (result.outcome === 'failed') {
    const active = getActiveThread();
    const { refusal: why } = result;
    const told = active === undefined ? why : rememberFailure(active, lookup, why);
    throw tell(settings, declared, told, true);
  }
  const after = look(refreshLookup(lookup));
  if (isUsable(after)) return after;
  const reason = after.refusal?.reason ?? 'it is not in the store after the install';
  const hint = `annex why ${Object.keys(declared.packages)[0]}`;
  throw new AnnexError({ code: 'ANNEX_INSTALL_FAILED', reason, hint }, { feature: declared.name });
}

/** The error of a feature that is unavailable, after the line that an import would write about it. */
function tell(settings: Settings, feature: Feature, why: Refusal, isNews: boolean): AnnexError {
  const error = new AnnexError(why, { feature: feature.name });
  createTell(settings)(feature, error, isNews);
  return error;
}

/** Verifies as an import would, which then need not wait for it; undefined when there is nothing wrong. */
function findDamage({ where }: FeatureStatus, lookup: Lookup): Damaged | undefined {
  const active = getActiveThread();
  if (where === 'core' || where === 'core (not shipped)' || active === undefined) return undefined;
  const { entry, damaged, unread } = active.choose(lookup);
  if (unread !== undefined) throw tell(active.settings, lookup.feature, unread, false);
  return entry === undefined ? damaged[0] : undefined;
}

/**
 * Whether a feature can be imported now: core ships it in the declared range, or a valid entry
 * stands in a store. Never installs, never touches the network, never throws; false for a feature
 * that is not declared.
 */
export const isAvailable = (feature: string): boolean =>
  hideAdditions(() => findAvailable(feature));

function findAvailable(feature: string): boolean {
  const settings = findSettings();
  const declared = settings && findFeature(settings, feature);
  return declared !== undefined && isUsable(look(createLookup(settings as Settings, declared)));
}

/** Where every feature is and why, and whether the loader is active. Never throws, never installs. */
export const status = (): Status => hideAdditions(findAll);

function findAll(): Status {
  const settings = findSettings();
  const names = new Map<string, string[]>();
  const features = [...(settings?.declaration.features.values() ?? [])];
  return {
    loader: getActiveThread()?.loader ?? 'inactive',
    core: settings?.core.root,
    stores: settings === undefined ? [] : listStores(settings),
    features: features.map((feature) => look(createLookup(settings as Settings, feature), names)),
  };
}

/** What this thread has found to be damaged is not there. */
const look = (lookup: Lookup, names?: Map<string, string[]>): FeatureStatus =>
  findStatus(lookup, { names, damages: getActiveThread()?.finder.damages });

const running = new Map<string, Promise<InstallResult>>();

/** Several callers of one feature wait for the same install. */
function installOnce(
  settings: Settings,
  { name }: Feature,
  isRetry: boolean,
): Promise<InstallResult> {
  // One that is no retry may have its answer from memory.
  const key = `${isRetry} ${name}`;
  const started = running.get(key);
  if (started !== undefined) return started;
  const install = installAsync(settings, name, isRetry).finally(() => running.delete(key));
  running.set(key, install);
  return install;
}

let own: Settings | undefined;

function findSettings(): Settings | undefined {
  const active = getActiveThread();
  if (active !== undefined) return active.settings;
  own ??=
    getSharedSettings() ??
    loadSettings({ script: findEntryScript(), cwd: readCwd(), self: HERE }).settings;
  return own;
}

function requireSettings(feature: string): Settings {
  const settings = findSettings();
  if (settings !== undefined) return settings;
  const reason = 'no package.json above the entry script declares features';
  const hint = 'npx annex add NAME@RANGE, or set ANNEX_CORE to the directory of the application';
  throw new AnnexError({ code: 'ANNEX_INVALID_CONFIG', reason, hint }, { feature });
}

function requireFeature(settings: Settings, name: string): Feature {
  const feature = findFeature(settings, name);
  if (feature !== undefined) return feature;
  const reason = `it is not declared in ${settings.core.root}/package.json`;
  const hint = 'declare it: npx annex add NAME@RANGE';
  throw new AnnexError({ code: 'ANNEX_INVALID_CONFIG', reason, hint }, { feature: name });
}

let hasWarned = false;

function warnInactive(settings: Settings): void {
  if (hasWarned) return;
  hasWarned = true;
  createLog(settings.log)(
    'error',
    'annex: the loader is not active, so imports of this process do not see the store: ' +
      "start with --import annex/loader.mjs, or import 'annex/register' first",
  );
}
