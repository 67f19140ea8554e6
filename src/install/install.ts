/** Installs one feature: from the decision whether it may be installed to a published entry. */

import { createLookup, findDeclarationRefusal, type Lookup, refreshLookup } from '../app/lookup.ts';
import { findOutsideRefusal, findShippedVersions } from '../app/shipped.ts';
import { readAbi } from '../base/abi.ts';
import { AnnexError, toRefusal } from '../base/error.ts';
import { refuseByFileError } from '../base/file-error.ts';
import { toRealPath } from '../base/paths.ts';
import { LOCKS, lockName, STAGING, VERSION } from '../base/store-layout.ts';
import { startTimeLimit } from '../base/time-limit.ts';
import { nameUnset } from '../registry/failure.ts';
import { findUnset } from '../registry/npmrc.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { forget, lookForFailure, remember } from '../status/failure-memory.ts';
import { findInstallRefusal, nameCommand, nameInstallCommand } from '../status/refusals.ts';
import { withDir } from '../store/directory.ts';
import type { Damaged, FoundEntry } from '../store/entry.ts';
import { type Ignored, isRemembered } from '../store/failures.ts';
import { createFinder, type Finder } from '../store/finder.ts';
import { type HeldLock, withLock } from '../store/lock.ts';
import { listVersions } from '../store/manifest.ts';
import { makeStore } from '../store/publish.ts';
import { retire } from '../store/retire.ts';
import { repairLinks } from '../store/shared-links.ts';
import { tryMove } from '../store/try-write.ts';
import { findStoreRefusal } from '../store/writable.ts';
import type { InstallResult, Refusal } from '../types.ts';
import { type Built, buildEntry } from './build.ts';
import { createInstallReport, type InstallReport } from './report.ts';
import { restoreRetired } from './restore.ts';
import { refuseByTime, type Stop, stopUnlessAwaited, watchForStop } from './stop.ts';
import { refuseUnusable } from './unusable.ts';

/** The origin of an install. */
export interface InstallOptions {
  /** A process with annex started this one: it reports the failure, since it knows the requesting file. */
  isInstaller?: boolean;
  /** Remembered failures that do not count. Those recorded later count, whichever process recorded them. */
  ignored?: Ignored | undefined;
  /** What ends several installs; by default each install handles signals itself. */
  stop?: Stop;
}

/** One install. */
interface Job {
  lookup: Lookup;
  /** Real path of the store: a link that is changed later does not lead elsewhere. */
  store: string;
  ignored: Ignored | undefined;
  report: InstallReport;
  finder: Finder;
  stop: Stop;
  /** Entries that were taken out of use because they are damaged. */
  retired: readonly Damaged[];
}

type Installed = Exclude<InstallResult, { outcome: 'failed' }>;

/**
 * Installs a feature into the store, unless the core ships it or a store has it. Never rejects. Reports
 * on stderr what it does, and why it failed.
 */
export async function installFeature(
  settings: Settings,
  feature: Feature,
  { isInstaller = false, ignored, stop: shared }: InstallOptions = {},
): Promise<InstallResult> {
  const store = settings.store === undefined ? '' : toRealPath(settings.store);
  const lookup = createLookup(settings, feature);
  const report = createInstallReport(lookup, store);
  const retired: Damaged[] = [];
  const finder = createFinder(settings, settings.verify === 'off' ? undefined : 'all', {
    onDamage: (damaged) => {
      if (retireDamaged(damaged, store, report)) retired.push(damaged);
    },
  });
  const stop = shared ?? watchForStop(isInstaller);
  const job: Job = { lookup, store, ignored, report, finder, stop, retired };
  let result: InstallResult;
  try {
    result = findWithoutInstall(job) ?? (await installIntoStore(job));
  } catch (error) {
    result = { feature: feature.name, outcome: 'failed', refusal: toJobRefusal(error, job) };
  }
  if (shared === undefined) stop.release();
  report.end();
  if (result.outcome !== 'failed') return result;
  if (stop.asker.aborted) report.reportStop(stop.asker.reason);
  if (!isInstaller) report.reportFailure(result.refusal);
  return result;
}

/** Later lookups do not find a retired entry. One in a layer stays. @returns whether it was retired */
function retireDamaged(
  { dir, isLayer, damage }: Damaged,
  store: string,
  { reportDamage }: InstallReport,
): boolean {
  reportDamage(dir, damage);
  if (isLayer) return false;
  try {
    retire(store, dir, damage);
    return true;
  } catch {
    // An install into a store that cannot be written fails and reports why.
    return false;
  }
}

/**
 * The result when nothing has to be installed; undefined when an install may start.
 *
 * @throws AnnexError when none may start
 */
function findWithoutInstall({ lookup, finder, ignored }: Job): Installed | undefined {
  const { settings, feature } = lookup;
  throwRefusal(findDeclarationRefusal(lookup) ?? findOutsideRefusal(lookup));
  const versions = findShippedVersions(lookup);
  if (versions !== undefined) return { feature: feature.name, outcome: 'core', versions, ms: 0 };
  const found = finder.find(lookup);
  if (found.entry !== undefined) repairLinks(found.entry, settings.core.root);
  else throwRefusal(findInstallRefusal(lookup, found, { ignored }));
  return toPresent(found, feature);
}

/** @param isPatient another process has taken over the lock once, because this one was slow */
async function installIntoStore(job: Job, isPatient = false): Promise<Installed> {
  const { lookup, store, report, stop } = job;
  const { settings, feature } = lookup;
  stop.signal.throwIfAborted();
  makeStore(store, readAbi()).forEach(report.reportObstacle);
  throwRefusal(findStoreRefusal(settings.store ?? ''));
  report.begin();
  const result = await withLock(
    { store, dirs: [VERSION, LOCKS], name: lockName(feature.slug) },
    (held) => installUnderLock(job, held),
    {
      isDone: () => findPresent(job) !== undefined,
      limit: settings.timeout,
      signal: AbortSignal.any([stop.asker, stop.signal]),
      isPatient,
      onWait: report.reportWait,
      onLimit: (holder) =>
        new AnnexError(refuseByTime(settings, `${holder} has been installing it for longer than`)),
    },
  );
  return result ?? findPresent(job) ?? installIntoStore(job, true);
}

/** Decides again: the last holder of the lock may have installed the feature, or failed just now. */
async function installUnderLock(before: Job, held: HeldLock): Promise<Installed | undefined> {
  const job = { ...before, lookup: refreshLookup(before.lookup) };
  const { lookup, finder, ignored } = job;
  const found = restoreRetired(job, finder.find(lookup));
  lookForFailure(lookup);
  if (found.entry === undefined) throwRefusal(findInstallRefusal(lookup, found, { ignored }));
  return toPresent(found, lookup.feature) ?? installNow(job, held);
}

/**
 * Builds and publishes the entry, and remembers a failure.
 *
 * @returns undefined when it failed and another installer has taken over the lock: its result counts
 * @throws AnnexError
 */
async function installNow(job: Job, held: HeldLock): Promise<Installed | undefined> {
  const { lookup, store, report, finder, stop } = job;
  const { settings, feature } = lookup;
  withDir(store, [VERSION, STAGING], (dir) => tryMove(store, dir, feature.slug));
  const stopped = AbortSignal.any([stop.signal, stopUnlessAwaited(stop.asker, held)]);
  const limit = startTimeLimit(settings.timeout);
  const signal = AbortSignal.any([limit, stopped]);
  const deadline = Math.min(performance.now() + settings.timeout, stop.deadline);
  const { progress } = report;
  progress.step = 'resolving';
  report.reportStart();
  const start = performance.now();
  let built: Built | undefined;
  let refusal: Refusal | undefined;
  try {
    const isPresent = (): boolean => findPresent(job) !== undefined;
    built = await buildEntry({ lookup, store, signal, deadline, isPresent, progress });
    if (built.dir !== undefined) finder.trust(toRealPath(built.dir));
  } catch (error) {
    refusal = toJobRefusal(error, job);
  }
  const found = finder.find(refreshLookup(lookup));
  const present = toPresent(found, feature);
  if (present !== undefined) {
    return completeInstall(job, present, built, Math.round(performance.now() - start));
  }
  if (stopped.aborted) throw stopped.reason;
  if (held.isTakenOver()) return undefined;
  refusal ??=
    found.unread ??
    refuseUnusable(
      built?.dir,
      found.rejected,
      nameCommand(settings, `why ${Object.keys(feature.packages)[0]}`),
    );
  throw recordFailure(job, limit.aborted ? refuseByTime(settings) : refusal);
}

/** @param built undefined when another installer published the entry: this one was taken for dead */
function completeInstall(
  { lookup, report }: Job,
  present: Installed,
  built: Built | undefined,
  ms: number,
): Installed {
  report.end();
  report.reportInstalled(present.versions, ms, built);
  forget(refreshLookup(lookup), Date.now() - ms);
  const unrun = built?.unrun ?? [];
  return { ...present, outcome: 'installed', ms, ...(unrun.length > 0 && { unrun }) };
}

/** Remembers a failure in the store, and returns the error for it. */
function recordFailure({ lookup, ignored, retired }: Job, failure: Refusal): AnnexError {
  const { settings, feature } = lookup;
  const refusal = nameUnset(failure, findUnset(settings));
  const command = nameInstallCommand(settings, feature.name);
  if (refusal.state === undefined && isRemembered(refusal)) {
    remember(refreshLookup(lookup), refusal, { command, ignored, damaged: retired[0] });
  }
  return new AnnexError({ ...refusal, hint: `${refusal.hint}, then ${command}` });
}

const findPresent = ({ finder, lookup }: Job): Installed | undefined =>
  toPresent(finder.find(refreshLookup(lookup)), lookup.feature);

function toPresent({ entry }: FoundEntry, declared: Feature): Installed | undefined {
  if (entry === undefined) return undefined;
  const { feature, dir, manifest } = entry;
  return { feature, outcome: 'present', versions: listVersions(manifest, declared), dir, ms: 0 };
}

function throwRefusal(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new AnnexError(refusal);
}

const toJobRefusal = (error: unknown, { store }: Job): Refusal =>
  toRefusal(error, () => refuseByFileError(error, store));
