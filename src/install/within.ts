/** Installs features until all of them are there or a time is over: for jobs and init containers. */
import { setTimeout } from 'node:timers/promises';
import { createLookup } from '../app/lookup.ts';
import type { Log } from '../base/log.ts';
import { isTransient } from '../base/thrown.ts';
import { isOfSettings } from '../registry/hints.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findRemembered } from '../status/failure-memory.ts';
import { showTime } from '../status/refusals.ts';
import { type Ignored, listRemembered } from '../store/failures.ts';
import type { ErrorCode, InstallResult, Refusal } from '../types.ts';
import { createShownLog } from './display.ts';
import { installFeature } from './install.ts';
import { watchForStop } from './stop.ts';

/** A feature that failed, and the time before which it is not tried again if the store remembers no failure of it. */
interface Pending {
  feature: Feature;
  earliest: number;
}

/** What one run has in mind. Times are of the wall clock, ms since the epoch, as those of failures. */
interface Run {
  settings: Settings;
  /** Failures from before: they do not delay the first try. */
  ignored: Ignored;
  end: number;
  signal: AbortSignal;
}

/** Milliseconds until the next try after a failure that is not remembered: of a lock, or on a full volume. */
const DELAY = 10_000;
/** Milliseconds between two looks at what is remembered: an install by another process ends a wait. */
const POLL = 1_000;

/** Refusals that the same attempt may not repeat later, unless a setting is the reason. */
const TEMPORARY = new Set<ErrorCode>([
  'ANNEX_OFFLINE',
  'ANNEX_TIMEOUT',
  'ANNEX_INSTALL_FAILED',
  'ANNEX_NO_SPACE',
]);

const isTemporary = ({ code, hint, isUnread = false }: Refusal): boolean =>
  isUnread || (TEMPORARY.has(code) && !isOfSettings(hint));

/**
 * Installs features. The first try starts at once, unless a registry has named a later time. A feature whose failure
 * is temporary is tried again, not before the time until which the failure, or that of a host, is remembered. Ends when
 * no further try can start in the time. Ends at once on SIGINT, SIGTERM and SIGHUP. Reports on stderr.
 *
 * @returns the last result of each feature; never rejects
 * @example await installWithin(settings, features, 600)
 */
export async function installWithin(
  settings: Settings,
  features: readonly Feature[],
  seconds: number,
): Promise<InstallResult[]> {
  const now = Date.now();
  const stop = watchForStop(false, seconds);
  const { signal } = stop;
  const ignored = listRemembered(settings.store ?? '', ({ refusal }) => isOwed(refusal, now));
  const run: Run = { settings, ignored, end: now + seconds * 1000, signal };
  const log = createShownLog(settings.log);
  const results = new Map<Feature, InstallResult>();
  const waiting = new Map<Feature, Pending>();
  for (let due = features; due.length > 0; due = await waitForDue(run, waiting)) {
    for (const feature of due) {
      const result = await installFeature(settings, feature, { stop, ignored });
      results.set(feature, result);
      waiting.delete(feature);
      if (result.outcome !== 'failed' || !isTemporary(result.refusal)) continue;
      const pending = { feature, earliest: Date.now() + DELAY };
      waiting.set(feature, pending);
      if (!signal.aborted) announce(run, pending, log);
    }
  }
  stop.release();
  return features.flatMap((feature) => results.get(feature) ?? []);
}

/** Whether a registry allows no request yet. */
const isOwed = ({ retryAt = 0 }: Refusal, now: number): boolean => retryAt > now;

/** Says when the next try is, or that none follows. */
function announce(run: Run, pending: Pending, log: Log): void {
  const { name } = pending.feature;
  const next = findNext(run, pending);
  const isLate = next >= run.end;
  const line = isLate
    ? `not tried again: --within ends before its next try, at ${showTime(next)}`
    : `next try at ${showTime(next)}`;
  log('info', `annex: ${name}: ${line}`, {
    event: isLate ? 'install.stop' : 'install.retry',
    feature: name,
  });
}

/** The features whose next try may start. None when the run was stopped, or no try can start in its time. */
async function waitForDue(run: Run, waiting: ReadonlyMap<Feature, Pending>): Promise<Feature[]> {
  const { signal, end } = run;
  while (!signal.aborted) {
    const now = Date.now();
    const all = [...waiting.values()].map((one) => ({ ...one, next: findNext(run, one) }));
    const due = all.filter(({ next }) => next <= now);
    if (due.length > 0) return due.map(({ feature }) => feature);
    if (!all.some(({ next }) => next < end)) break;
    await setTimeout(POLL, undefined, { signal }).catch(() => {});
  }
  return [];
}

/** When a feature may be tried again. */
function findNext({ settings, ignored }: Run, { feature, earliest }: Pending): number {
  try {
    const remembered = findRemembered(createLookup(settings, feature), { ignored });
    return remembered?.failure.until ?? earliest;
  } catch (error) {
    if (!isTransient(error)) throw error;
    return earliest;
  }
}
