/** Installs features until all of them are there or a time is over: for jobs and init containers. */
import { setTimeout } from 'node:timers/promises';
import { createLookup } from '../app/lookup.ts';
import { isTransient } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findRemembered } from '../status/failure-memory.ts';
import type { ErrorCode, InstallResult, Refusal } from '../types.ts';
import { createShownLog } from './display.ts';
import { installFeature } from './install.ts';
import { type Stop, watchForStop } from './stop.ts';

/** A feature that failed, and the time before which it is not tried again if the store remembers no failure of it. */
interface Pending {
  feature: Feature;
  earliest: number;
}

/** Milliseconds until the next try after a failure that is not remembered: of a lock, or on a full volume. */
const DELAY = 10_000;
/** Milliseconds between two looks at what is remembered: an install by another process ends a wait. */
const POLL = 1_000;

/** Refusals that the same attempt does not repeat later. */
const TEMPORARY = new Set<ErrorCode>([
  'ANNEX_OFFLINE',
  'ANNEX_TIMEOUT',
  'ANNEX_INSTALL_FAILED',
  'ANNEX_NO_SPACE',
]);

const isTemporary = ({ code, isUnread = false }: Refusal): boolean =>
  isUnread || TEMPORARY.has(code);

/**
 * Installs features. Those whose failure is temporary are tried again, never before the time until which
 * their failure, or that of a host, is remembered. Ends at once on SIGINT, SIGTERM and SIGHUP. Reports on stderr.
 *
 * @returns the last result of each feature; never rejects
 * @example await installWithin(settings, features, 600)
 */
export async function installWithin(
  settings: Settings,
  features: readonly Feature[],
  seconds: number,
): Promise<InstallResult[]> {
  const stop = watchForStop(false, seconds);
  const log = createShownLog(settings.log);
  const results = new Map<Feature, InstallResult>();
  const waiting = new Map<Feature, Pending>();
  for (let due = features; due.length > 0; due = await waitForDue(settings, waiting, stop)) {
    for (const feature of due) {
      const result = await installFeature(settings, feature, { stop });
      results.set(feature, result);
      waiting.delete(feature);
      if (result.outcome !== 'failed' || !isTemporary(result.refusal)) continue;
      const pending = { feature, earliest: Date.now() + DELAY };
      waiting.set(feature, pending);
      if (stop.signal.aborted) continue;
      const { name } = feature;
      const next = Math.ceil(findNext(settings, pending) / 1000) * 1000;
      const at = new Date(next).toISOString().slice(11, 19);
      log('info', `annex: ${name}: next try at ${at} UTC`, {
        event: 'install.retry',
        feature: name,
      });
    }
  }
  stop.release();
  return features.flatMap((feature) => results.get(feature) ?? []);
}

/** The features whose next try may start: none when none fails any more, or the wait was stopped. */
async function waitForDue(
  settings: Settings,
  waiting: ReadonlyMap<Feature, Pending>,
  { signal }: Stop,
): Promise<Feature[]> {
  while (waiting.size > 0 && !signal.aborted) {
    const now = Date.now();
    const due = [...waiting.values()].filter((one) => findNext(settings, one) <= now);
    if (due.length > 0) return due.map(({ feature }) => feature);
    await setTimeout(POLL, undefined, { signal }).catch(() => {});
  }
  return [];
}

/** Wall clock, ms since the epoch. */
function findNext(settings: Settings, { feature, earliest }: Pending): number {
  try {
    const remembered = findRemembered(createLookup(settings, feature), {});
    return remembered?.failure.until ?? earliest;
  } catch (error) {
    if (!isTransient(error)) throw error;
    return earliest;
  }
}
