/** Remembers failed features and hosts in a store, so that no process tries them again at once. */
import { readdirSync, rmdirSync } from 'node:fs';
import { readText } from '../base/files.ts';
import { isCount, isShallow, isShape, isText, isTime } from '../base/shape.ts';
import { FAILURES, failureName, outputName, VERSION } from '../base/store-layout.ts';
import type { Refusal } from '../types.ts';
import { ignoreErrors, sampleNames, withDir } from './directory.ts';
import { changeFailures, inFailures, replaceIn } from './failure-directory.ts';
import { isRefusal } from './refusal-shape.ts';
import { tryRemoveIn } from './tree.ts';

/** A remembered failure of a feature or a host. */
export interface Failure {
  /** Identifies its configuration: 16 hex digits. */
  key: string;
  /** The feature whose install failed. */
  feature: string;
  refusal: Refusal;
  /** Number of failures in a row. */
  attempts: number;
  /** Wall clock, ms since the epoch: the failure, and the next attempt. */
  at: number;
  until: number;
}

const FIRST_DELAY = 30_000;
const LONGEST_DELAY = 15 * 60_000;
/** The longest delay that a registry can ask for. */
const LONGEST_PAUSE = 24 * 3_600_000;
/** Milliseconds after `until` at which the count starts again. */
const EXPIRY = 24 * 3_600_000;
/** Configurations that are remembered of one feature or host. */
const MAX_CONFIGURATIONS = 10;

/** Bytes of one file. */
const MAX_BYTES = 2 ** 20;

/** Refusals that another attempt would not repeat, or that need no attempt. */
const NOT_REMEMBERED = new Set(['ANNEX_DENIED', 'ANNEX_CONFLICT', 'ANNEX_INVALID_CONFIG']);

/**
 * Whether a refusal prevents attempts for a while. A blocked version does: finding it takes a resolution, and
 * another list of blocked versions is another configuration.
 */
export const isRemembered = ({ code, blocked, isUnread = false }: Refusal): boolean =>
  !isUnread && (blocked !== undefined || !NOT_REMEMBERED.has(code));

/**
 * Exponential backoff with 20 % jitter, ms. The jitter separates machines whose stores failed together.
 *
 * @param chance from 0 to 1
 */
export function backoffDelay(attempts: number, chance: number): number {
  return Math.min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY) * (1 - chance / 5);
}

/**
 * Whether a failure is in force. A clock that is slightly ahead is tolerated; a failure that would last longer
 * than the longest delay, or than a registry can ask for, is not in force, whichever clock is wrong.
 */
export function isInForce({ at, until, refusal }: Failure, now: number): boolean {
  const longest = refusal.retryAt === undefined ? LONGEST_DELAY : LONGEST_PAUSE;
  return now < until && until - now <= longest && until - at <= longest;
}

/**
 * The next failure after the last one of the same configuration. No attempt is made before the registry allows it;
 * after that, up to the first delay later.
 */
export function nextFailure(
  last: Failure | undefined,
  failed: Pick<Failure, 'key' | 'feature' | 'refusal'>,
  now: number,
  chance = Math.random(),
): Failure {
  const attempts = last !== undefined && now - last.until < EXPIRY ? last.attempts + 1 : 1;
  const until = now + backoffDelay(attempts, chance);
  const { retryAt } = failed.refusal;
  const allowed = retryAt === undefined ? 0 : retryAt + chance * FIRST_DELAY;
  const end = Math.round(Math.min(Math.max(until, allowed), now + LONGEST_PAUSE));
  return { ...failed, attempts, at: now, until: end };
}

/**
 * Reads the failures of a feature (by its slug) or a host, one for each configuration. An unreadable record
 * counts as none.
 */
export function readFailures(store: string, name: string): Failure[] {
  try {
    const text = inFailures(store, (dir) => readText(dir.at(failureName(name)), MAX_BYTES));
    const failures: unknown = JSON.parse(text);
    return Array.isArray(failures)
      ? failures.filter((one) => isFailure(one) && isShallow(one))
      : [];
  } catch {
    return [];
  }
}

/** Names that are read: others can create any number. */
const MAX_NAMES = 1_000;

/** Failures that do not count, as returned by `identify`. */
export type Ignored = ReadonlySet<string>;

/** Distinguishes failures independently of clocks. */
const identify = (name: string, failure: Failure): string => `${name} ${JSON.stringify(failure)}`;

/**
 * All failures in the store now, for an attempt that ignores them.
 *
 * @param counts whether a failure counts all the same; none does by default
 */
export function listRemembered(
  store: string,
  counts: (failure: Failure) => boolean = () => false,
): Ignored {
  try {
    const files = inFailures(store, (dir) => sampleNames(dir, MAX_NAMES));
    const names = files.flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
    const listIn = (name: string): Failure[] =>
      readFailures(store, name).filter((one) => !counts(one));
    return new Set(names.flatMap((name) => listIn(name).map((one) => identify(name, one))));
  } catch {
    return new Set();
  }
}

/** The failures of a feature or host that are in force. */
export const readInForce = (
  store: string,
  name: string,
  now: number,
  ignored: Ignored = new Set(),
): Failure[] =>
  readFailures(store, name).filter(
    (failure) => isInForce(failure, now) && !ignored.has(identify(name, failure)),
  );

/** Whether the store remembers any host. */
export function hasFailedHosts(store: string): boolean {
  try {
    const names = inFailures(store, (dir) => sampleNames(dir, MAX_NAMES));
    return names.some((name) => name.startsWith('@'));
  } catch {
    return false;
  }
}

/**
 * Adds a failure. A store that cannot be written stays as it is.
 *
 * @param ignored failures that did not prevent this attempt: the count starts again after them. Any other failure
 *   in force was added meanwhile by another process, and is the same failure, unless a registry has named a later
 *   time since
 */
export function addFailure(
  store: string,
  name: string,
  failed: Pick<Failure, 'key' | 'feature' | 'refusal'>,
  { ignored, now }: { ignored: Ignored | undefined; now: number },
): void {
  const known = readFailures(store, name);
  const last = known.find(({ key }) => key === failed.key);
  const { retryAt = 0 } = failed.refusal;
  const isKnown = ({ key, until }: Failure): boolean => key === failed.key && until >= retryAt;
  if (readInForce(store, name, now, ignored).some(isKnown)) return;
  const others = known.filter((one) => one !== last && now - one.until < EXPIRY);
  const before = last !== undefined && ignored?.has(identify(name, last)) ? undefined : last;
  write(store, name, [nextFailure(before, failed, now), ...others].slice(0, MAX_CONFIGURATIONS));
}

/**
 * Clears the failures of a feature or host.
 *
 * @param key of the one configuration to clear; by default all are cleared
 * @param before failures since this time stay: ms since the epoch
 */
export function clearFailure(
  store: string,
  name: string,
  key?: string,
  before = Number.POSITIVE_INFINITY,
): void {
  ignoreErrors(() => inFailures(store, (dir) => tryRemoveIn(dir, outputName(name))));
  const known = key === undefined ? [] : readFailures(store, name);
  write(
    store,
    name,
    known.filter((one) => one.key !== key || one.at >= before),
  );
}

/** Clears all failures. Outputs of scripts stay, since messages have named their files. */
export function clearFailures(store: string): void {
  ignoreErrors(() => {
    inFailures(store, (dir) => {
      const names = readdirSync(dir.at()).filter((name) => !name.endsWith('.log'));
      for (const name of names) tryRemoveIn(dir, name);
    });
    withDir(store, [VERSION], (dir) => rmdirSync(dir.at(FAILURES)));
  });
}

/**
 * Only the holder of the lock of a feature writes the failures of that feature. Of two concurrent writers for a
 * host, the last one wins.
 */
function write(store: string, name: string, failures: Failure[]): void {
  const file = failureName(name);
  if (failures.length > 0) {
    changeFailures(store, (dir) => replaceIn(dir, file, JSON.stringify(failures)));
    return;
  }
  ignoreErrors(() =>
    inFailures(store, (dir) => {
      for (const one of [file, `${file}.new`]) tryRemoveIn(dir, one);
    }),
  );
}

/** Checks every field, those of the refusal included. */
const isFailure = isShape({
  key: isText,
  feature: isText,
  refusal: isRefusal,
  attempts: isCount,
  at: isTime,
  until: isTime,
});
