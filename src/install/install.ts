/** Installing one feature: from the question whether it may be, to a published entry. */
import { toRealPath } from '../app/core.ts';
import { createLookup, findDeclarationRefusal, type Lookup, refreshLookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { AnnexError, toRefusal } from '../base/error.ts';
import { refuseByFileError } from '../base/file-error.ts';
import { createLog, type Log } from '../base/log.ts';
import { composeMessage } from '../base/messages.ts';
import { LOCKS, lockName, VERSION } from '../base/store-layout.ts';
import { nameUnset } from '../registry/failure.ts';
import { findUnset } from '../registry/npmrc.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { forget, remember } from '../status/failure-memory.ts';
import { findInstallRefusal, nameInstallCommand } from '../status/refusals.ts';
import { findStatus } from '../status/status.ts';
import { findStoreRefusal } from '../store/access.ts';
import type { Entry } from '../store/entry.ts';
import { type Ignored, isRemembered } from '../store/failures.ts';
import { createFinder, type Finder } from '../store/finder.ts';
import { listVersions } from '../store/fit.ts';
import { type HeldLock, withLock } from '../store/lock.ts';
import { makeStore } from '../store/publish.ts';
import { retire } from '../store/retired.ts';
import { mendLinks } from '../store/shared-links.ts';
import type { InstallResult, Refusal } from '../types.ts';
import { type Built, buildEntry } from './build.ts';
import { type Stop, stopUnlessAwaited, watchForStop } from './stop.ts';
import { refuseUnusable } from './unusable.ts';

/** One install on its way. */
interface Job {
  settings: Settings;
  feature: Feature;
  lookup: Lookup;
  store: string;
  /** Remembered failures that do not count. */
  ignored: Ignored | undefined;
  log: Log;
  finder: Finder;
  stop: Stop;
}

/**
 * Installs a feature into the store unless it is to be had already. Never rejects; says on stderr
 * what it does, and why it could not.
 *
 * @param isByHand a person asked, not a program, which says itself why it failed
 * @param ignored remembered failures that do not count; what is found out meanwhile does, whichever
 *   process found it
 */
export async function installFeature(
  settings: Settings,
  feature: Feature,
  isByHand: boolean,
  ignored: Ignored | undefined,
): Promise<InstallResult> {
  // Once it is known to be trusted, no link leads elsewhere.
  const store = settings.store === undefined ? '' : toRealPath(settings.store);
  const log = createLog(settings.log);
  // What is damaged is replaced: whoever looks from now on does not see it.
  const finder = createFinder(
    settings,
    settings.verify === 'off' ? undefined : 'all',
    ({ dir, isLayer, damage }) => {
      log('error', `annex: ${dir} is damaged: ${damage}`);
      if (!isLayer) retireQuietly(store, dir, damage);
    },
  );
  const stop = watchForStop(!isByHand);
  const lookup = createLookup(settings, feature);
  const job: Job = { settings, feature, lookup, store, ignored, log, finder, stop };
  let result: InstallResult;
  try {
    result = findAnswer(job) ?? (await installIntoStore(job));
  } catch (error) {
    result = fail(feature, refuseByError(error, store));
  }
  stop.release();
  if (stop.asker.aborted && result.outcome === 'failed') {
    const { refusal } = stop.asker.reason as AnnexError;
    log('info', `annex: ${feature.name} is not installed: ${refusal.reason}`);
  }
  // A program that asked says it itself, and knows which file asked.
  if (result.outcome === 'failed' && isByHand) {
    log('error', composeMessage(result.refusal, { feature: feature.name }));
  }
  return result;
}

/** In a store that cannot be written it stays, and whoever looks finds out anew; a layer may do. */
function retireQuietly(store: string, dir: string, damage: string): void {
  try {
    retire(store, dir, damage);
  } catch {
    // What is to be installed into that store fails by itself, and says why.
  }
}

/** The answer that needs no install; undefined when there is none. */
function findAnswer({
  settings,
  feature,
  lookup,
  ignored,
  finder,
}: Job): InstallResult | undefined {
  const declared = findDeclarationRefusal(lookup);
  if (declared !== undefined) return fail(feature, declared);
  const status = findStatus(lookup, { isProduction: true });
  const versions = Object.fromEntries(
    Object.entries(status.packages).map(([name, found]) => [name, found.version ?? '']),
  );
  if (status.where === 'core') return { feature: feature.name, outcome: 'core', versions, ms: 0 };
  if (status.where === 'core outside range' && status.refusal !== undefined) {
    return fail(feature, status.refusal);
  }
  const { entry, unread } = finder.find(lookup);
  if (entry !== undefined) {
    mendLinks(entry, settings.core.root);
    return describePresent(entry, feature);
  }
  const refusal = unread ?? findInstallRefusal(lookup, { ignored });
  return refusal === undefined ? undefined : fail(feature, refusal);
}

/** @param isPatient whether it has been taken for dead before */
async function installIntoStore(job: Job, isPatient = false): Promise<InstallResult> {
  const { settings, feature, store, ignored, log, finder, stop } = job;
  for (const junk of makeStore(store, readAbi())) log('error', `annex: ${junk}`);
  const unusable = findStoreRefusal(settings.store ?? '');
  if (unusable !== undefined) return fail(feature, unusable);
  const result = await withLock(
    { store, dirs: [VERSION, LOCKS], name: lockName(feature.slug) },
    async (held): Promise<InstallResult | undefined> => {
      const lookup = refreshLookup(job.lookup);
      const { entry, unread } = finder.find(lookup);
      if (entry !== undefined) return describePresent(entry, feature);
      // Whoever held the lock before may have failed just now.
      const refusal = unread ?? findInstallRefusal(lookup, { ignored });
      return refusal === undefined ? attempt({ ...job, lookup }, held) : fail(feature, refusal);
    },
    {
      isDone: () => findPresent(job) !== undefined,
      limit: settings.timeout,
      signal: AbortSignal.any([stop.asker, stop.signal]),
      isPatient,
      onWait: (holder) =>
        log('info', `annex: waiting for ${holder}, which installs ${feature.name}`),
      onLimit: (holder) =>
        new AnnexError(refuseByTime(settings, `${holder} has been installing it for longer than`)),
    },
  );
  return result ?? findPresent(job) ?? installIntoStore(job, true);
}

/**
 * Builds and publishes, and remembers how it went; undefined when it failed and another installer
 * has taken over meanwhile: how that one does is what counts.
 */
async function attempt(job: Job, held: HeldLock): Promise<InstallResult | undefined> {
  const { settings, feature, store, ignored, log, finder, stop } = job;
  const stopped = AbortSignal.any([stop.signal, stopUnlessAwaited(stop.asker, held)]);
  const signal = AbortSignal.any([AbortSignal.timeout(settings.timeout), stopped]);
  const specs = Object.entries(feature.packages).map(([name, range]) => `${name}@${range}`);
  log('info', `annex: installing ${feature.name} (${specs.join(', ')}) into ${store}`);
  const start = performance.now();
  let built: Built | undefined;
  let refusal: Refusal | undefined;
  try {
    const isPresent = (): boolean => findPresent(job) !== undefined;
    built = await buildEntry({ lookup: job.lookup, store, signal, isPresent });
    if (built.dir !== undefined) finder.trust(toRealPath(built.dir));
  } catch (error) {
    refusal = refuseByError(error, store);
  }
  const lookup = refreshLookup(job.lookup);
  const present = findPresent(job);
  if (present !== undefined) {
    const ms = Math.round(performance.now() - start);
    const names = Object.entries(present.versions).map(([name, version]) => `${name} ${version}`);
    // A holder that stood still was taken for dead, and another has installed it meanwhile.
    const took = built ? describeBuilt(built, ms) : 'by another process';
    log('info', `annex: installed ${names.join(', ')} ${took}`);
    forget(lookup);
    const { unrun = [] } = built ?? {};
    for (const name of unrun) log('info', describeUnrun(name, feature));
    return { ...present, outcome: 'installed', ms, ...(unrun.length > 0 && { unrun }) };
  }
  if (stopped.aborted) throw stopped.reason;
  if (held.isTakenOver()) return undefined;
  refusal ??= finder.find(lookup).unread;
  refusal ??= refuseUnusable(built?.dir, lookup);
  if (signal.aborted) refusal = refuseByTime(settings);
  refusal = nameUnset(refusal, findUnset(settings));
  const command = nameInstallCommand(settings, feature.name);
  if (refusal.state === undefined && isRemembered(refusal)) {
    remember(lookup, refusal, { command, ignored });
  }
  return fail(feature, { ...refusal, hint: `${refusal.hint}, then ${command}` });
}

type Present = Extract<InstallResult, { ms: number }>;

function findPresent({ finder, lookup }: Job): Present | undefined {
  const { entry } = finder.find(refreshLookup(lookup));
  return entry && describePresent(entry, lookup.feature);
}

function describePresent({ feature, dir, manifest }: Entry, declared: Feature): Present {
  return { feature, outcome: 'present', versions: listVersions(manifest, declared), dir, ms: 0 };
}

/** Said at once: later, only an addon that fails to load would tell. */
const describeUnrun = (unrun: string, { name }: Feature): string =>
  `annex: ${unrun}, for ${name}: its install script was not run; if the addon fails to load, ` +
  `allow it in package.json: "scripts": [${JSON.stringify(unrun.split(' ')[0])}]`;

const fail = ({ name }: Feature, refusal: Refusal): InstallResult => ({
  feature: name,
  outcome: 'failed',
  refusal,
});

const refuseByError = (error: unknown, store: string): Refusal =>
  toRefusal(error, () => refuseByFileError(error, store));

/** The time of the operator's file is over. */
export const refuseByTime = ({ timeout }: Settings, what = 'it took longer than'): Refusal => ({
  code: 'ANNEX_TIMEOUT',
  reason: `${what} ${Math.round(timeout / 1000)} s`,
  hint: 'find out what is slow, or give it more: "timeout", in seconds, in the file of ANNEX_CONFIG',
});

const describeBuilt = ({ packages, bytes }: Built, ms: number): string =>
  `in ${(ms / 1000).toFixed(1)} s (${packages} ${packages === 1 ? 'package' : 'packages'}, ${(bytes / 1e6).toFixed(1)} MB)`;
