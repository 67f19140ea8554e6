/** What a store remembers of features and hosts that failed, so that nobody tries again at once. */
import { readdirSync, rmdirSync } from 'node:fs';
import { readText } from '../base/files.ts';
import { isCount, isListOf, isOneOf, isShape, isText, isTime, isTrue } from '../base/shape.ts';
import { FAILURES, failureName, outputName, VERSION } from '../base/store-layout.ts';
import type { ErrorCode, Refusal } from '../types.ts';
import { ignoreErrors, sampleNames, withDir } from './directory.ts';
import { changeFailures, inFailures, replaceIn } from './failure-directory.ts';
import { tryRemoveIn } from './tree.ts';

/** A feature, or a host, that failed, as the processes of a store remember it. */
export interface Failure {
  /** The configuration in which it did, as 16 hex digits. */
  key: string;
  /** Who found out. */
  feature: string;
  refusal: Refusal;
  /** How many times in a row. */
  attempts: number;
  /** Wall clock, ms since the epoch: when it failed, and when it may be tried again. */
  at: number;
  until: number;
}

const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 15 * 60_000;
/** This long after its end a failure does not count as the one before. */
const FORGOTTEN = 24 * 3_600_000;
/** Configurations that are remembered of one feature. */
const MOST = 10;

/** Of all of them, bytes. */
const MOST_BYTES = 2 ** 20;

/** Refusals that say nothing about the next try. */
const NOT_REMEMBERED = new Set(['ANNEX_DENIED', 'ANNEX_CONFLICT', 'ANNEX_INVALID_CONFIG']);

/**
 * Whether a refusal keeps a feature from being tried again for a while. What is blocked does: it takes
 * a resolution to find that out, and another list is another configuration.
 */
export const isRemembered = ({ code, blocked, isUnread = false }: Refusal): boolean =>
  !isUnread && (blocked !== undefined || !NOT_REMEMBERED.has(code));

/**
 * How long is waited after so many failures in a row, ms: the last fifth of it by chance, so that
 * machines with stores of their own, which failed together, do not come back together.
 *
 * @param chance from 0 to 1
 */
export function backoffDelay(attempts: number, chance: number): number {
  return Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE) * (1 - chance / 5);
}

/**
 * Whether a failure still counts. One from a clock that is a little ahead does; one that would last
 * longer than any does, whichever clock is wrong, does not.
 */
export const isInForce = ({ at, until }: Failure, now: number): boolean =>
  now < until && until - now <= LONGEST_PAUSE && until - at <= LONGEST_PAUSE;

/** Makes the next failure from the last one of that configuration. */
export function nextFailure(
  last: Failure | undefined,
  failed: Pick<Failure, 'key' | 'feature' | 'refusal'>,
  now: number,
  chance = Math.random(),
): Failure {
  const attempts = last !== undefined && now - last.until < FORGOTTEN ? last.attempts + 1 : 1;
  return { ...failed, attempts, at: now, until: now + Math.round(backoffDelay(attempts, chance)) };
}

/**
 * The remembered failures of a feature (by its slug) or a host, one for each configuration; those
 * that cannot be read are none.
 */
export function readFailures(store: string, name: string): Failure[] {
  try {
    const text = inFailures(store, (dir) => readText(dir.at(failureName(name)), MOST_BYTES));
    const failures: unknown = JSON.parse(text);
    return Array.isArray(failures) ? failures.filter(isFailure) : [];
  } catch {
    return [];
  }
}

/** Names that are looked at: whoever can write the store can make any number. */
const MOST_NAMES = 1_000;

/** Failures that do not count, as `identify` makes them: those that were remembered at some moment. */
export type Ignored = ReadonlySet<string>;

/** Tells two failures apart, whatever their clocks say. */
const identify = (name: string, failure: Failure): string => `${name} ${JSON.stringify(failure)}`;

/** Everything that a store remembers at this moment, for whoever tries all the same. */
export function listRemembered(store: string): Ignored {
  try {
    const files = inFailures(store, (dir) => sampleNames(dir, MOST_NAMES));
    const names = files.flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []);
    return new Set(
      names.flatMap((name) => readFailures(store, name).map((failure) => identify(name, failure))),
    );
  } catch {
    return new Set();
  }
}

/** The failures of a feature or host that count now. */
export const readInForce = (
  store: string,
  name: string,
  now: number,
  ignored: Ignored = new Set(),
): Failure[] =>
  readFailures(store, name).filter(
    (failure) => isInForce(failure, now) && !ignored.has(identify(name, failure)),
  );

/** Whether any host is remembered at all. */
export function hasFailedHosts(store: string): boolean {
  try {
    const names = inFailures(store, (dir) => sampleNames(dir, MOST_NAMES));
    return names.some((name) => name.startsWith('@'));
  } catch {
    return false;
  }
}

/**
 * Remembers one more failure; a store that cannot be written just forgets it.
 *
 * @param ignored failures that did not keep this try from starting: any other that is in force was recorded
 *   while it ran, and is the same failure
 */
export function addFailure(
  store: string,
  name: string,
  failed: Pick<Failure, 'key' | 'feature' | 'refusal'>,
  { ignored, now }: { ignored: Ignored | undefined; now: number },
): void {
  const known = readFailures(store, name);
  const last = known.find(({ key }) => key === failed.key);
  if (readInForce(store, name, now, ignored).some(({ key }) => key === failed.key)) return;
  const others = known.filter((one) => one !== last && now - one.until < FORGOTTEN);
  write(store, name, [nextFailure(last, failed, now), ...others].slice(0, MOST));
}

/**
 * Forgets the failure of a feature or host.
 *
 * @param key in this configuration alone
 */
export function clearFailure(store: string, name: string, key?: string): void {
  ignoreErrors(() => inFailures(store, (dir) => tryRemoveIn(dir, outputName(name))));
  const known = key === undefined ? [] : readFailures(store, name);
  write(
    store,
    name,
    known.filter((one) => one.key !== key),
  );
}

/** Forgets everything but what scripts printed: a message has named those files. */
export function clearFailures(store: string): void {
  ignoreErrors(() => {
    inFailures(store, (dir) => {
      const names = readdirSync(dir.at()).filter((name) => !name.endsWith('.log'));
      for (const name of names) tryRemoveIn(dir, name);
    });
    withDir(store, [VERSION], (dir) => rmdirSync(dir.at(FAILURES)));
  });
}

/** Of a feature only the holder of its lock writes. Of two that write of a host, one is late. */
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

const CODES: ErrorCode[] = [
  'ANNEX_DENIED',
  'ANNEX_CONFLICT',
  'ANNEX_OFFLINE',
  'ANNEX_INTEGRITY',
  'ANNEX_NO_SPACE',
  'ANNEX_STORE_UNUSABLE',
  'ANNEX_UNSUPPORTED_PLATFORM',
  'ANNEX_INSTALL_FAILED',
  'ANNEX_TIMEOUT',
  'ANNEX_INVALID_CONFIG',
];

const isConflict = isShape(
  { dependent: isText, dependency: isText, range: isText, kind: isText, of: isText },
  { version: isText, isFit: isTrue, isNestable: isTrue },
);
const isBlocked = isShape(
  { name: isText, spec: isText, by: isText, version: isText },
  { reason: isText },
);
const isRefusal = isShape(
  { code: isOneOf(CODES), reason: isText, hint: isText },
  { state: isText, host: isText, conflicts: isListOf(isConflict), blocked: isBlocked },
);
/** Every field of it, with all that a refusal holds. */
const isFailure = isShape({
  key: isText,
  feature: isText,
  refusal: isRefusal,
  attempts: isCount,
  at: isTime,
  until: isTime,
});
