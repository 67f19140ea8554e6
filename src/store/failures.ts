/** What a store remembers of features that failed, so that nobody tries again at once. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Failure, Feature, Refusal } from '../types.ts';
import { failurePath } from './layout.ts';

const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 15 * 60_000;

/** Refusals that say nothing about the next try. */
const NOT_REMEMBERED = new Set(['ANNEX_DENIED', 'ANNEX_CONFLICT', 'ANNEX_INVALID_CONFIG']);

/** Whether a refusal keeps a feature from being tried again for a while. */
export const isRemembered = ({ code }: Refusal): boolean => !NOT_REMEMBERED.has(code);

/** How long a feature is left alone after it failed so many times in a row, ms. */
export function pauseAfter(attempts: number): number {
  return Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE);
}

/**
 * Whether a failure still keeps a feature from being tried. A failure in the future (the clock was
 * set back), one that would last longer than any does, and one of other ranges or another ABI do not.
 */
export function isInForce(failure: Failure, feature: Feature, abi: string, now: number): boolean {
  const { at, until } = failure;
  return concerns(failure, feature, abi) && now >= at && now < until && until - at <= LONGEST_PAUSE;
}

const concerns = (failure: Failure, { packages }: Feature, abi: string): boolean =>
  failure.abi === abi && JSON.stringify(failure.specs) === JSON.stringify(packages);

/** The remembered failure of a feature; undefined when there is none that can be read. */
export function readFailure(store: string, feature: Feature): Failure | undefined {
  try {
    const failure = JSON.parse(
      readFileSync(failurePath(store, feature.slug), 'utf8'),
    ) as Partial<Failure>;
    const { at, until, attempts, refusal } = failure;
    const isOurs =
      [at, until, attempts].every((value) => typeof value === 'number') &&
      [refusal?.code, refusal?.reason, refusal?.hint].every((text) => typeof text === 'string');
    return isOurs && failure.feature === feature.name ? (failure as Failure) : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the next failure of a feature from the last one; one of other ranges does not count. */
export function nextFailure(
  last: Failure | undefined,
  { feature, abi, refusal, now }: { feature: Feature; abi: string; refusal: Refusal; now: number },
): Failure {
  const attempts = last !== undefined && concerns(last, feature, abi) ? last.attempts + 1 : 1;
  const until = now + pauseAfter(attempts);
  return { feature: feature.name, specs: feature.packages, abi, refusal, attempts, at: now, until };
}

/** Remembers a failure; a store that cannot be written just forgets it. */
export function writeFailure(store: string, feature: Feature, failure: Failure): void {
  const path = failurePath(store, feature.slug);
  // One name for all: only the holder of the feature's lock writes, and nothing is left to sweep.
  const temporary = `${path}.new`;
  remove(temporary);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, JSON.stringify(failure));
    renameSync(temporary, path);
  } catch {
    remove(temporary);
  }
}

/** Forgets the failure of a feature. */
export function clearFailure(store: string, slug: string): void {
  const path = failurePath(store, slug);
  remove(path);
  remove(`${path}.new`);
}

/** A store that cannot be written keeps what it has; a failure runs out by itself. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Nobody is worse off.
  }
}
