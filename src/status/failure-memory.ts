/** Remembers failures of features in their configuration, and of the hosts of their packages. */
import type { Lookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { digest } from '../base/digest.ts';
import { refuseDamage } from '../base/file-error.ts';
import { FAILURES, failureName, hostName, VERSION } from '../base/store-layout.ts';
import { readNpmrc } from '../registry/npmrc.ts';
import { describeCredentials, describeSources, makeRegistryFor } from '../registry/registries.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Damaged } from '../store/entry.ts';
import {
  addFailure,
  clearFailure,
  type Failure,
  hasFailedHosts,
  type Ignored,
  isInForce,
  nextFailure,
  readInForce,
} from '../store/failures.ts';
import { lookAfresh } from '../store/look-afresh.ts';
import type { Refusal } from '../types.ts';

/** The registries of the packages of a feature. */
interface Sources {
  /** Equal for all processes that use the same registries in the same way. */
  key: string;
  /** Changes with the credentials. */
  credentials: string;
  /** Hosts of the registries of the declared packages. */
  hosts: string[];
}

/** Reads the settings of npm, so it is called only after a failure. */
function findSources({ settings, feature }: Lookup): Sources {
  const env = readInstallerEnv(settings);
  const { levels } = readNpmrc(settings.core.root, env);
  const registryFor = makeRegistryFor(levels);
  const hosts = Object.keys(feature.packages)
    .map(registryFor)
    .flatMap((url) => (URL.canParse(url) ? new URL(url).host : []));
  const credentials = describeCredentials(levels, env, hashSecret);
  return { key: shorten(describeSources(levels, env)), credentials, hosts: [...new Set(hosts)] };
}

/**
 * Eight bits of a token or password: one change in 256 goes unnoticed. The key of a failure is stored where
 * others may read it, and they can know all other parts of it: these bits, the same in every key, are all that
 * they can find out by guessing.
 */
const hashSecret = (value: string): string => digest(value).slice(0, 2);

const shorten = (text: string): string => digest(text).slice(0, 16);

/**
 * Identifies the configuration of an attempt: the declaration, the lock, the ABI, the registries with their
 * credentials, the blocked versions, and the time limit. A failure counts in the same configuration only.
 */
function findKey({ settings, feature, ...lookup }: Lookup, sources: Sources): string {
  const { name, packages, scripts, conflicts, share } = feature;
  const lock = lookup.readLock().pin?.sidecar;
  const declared = { name, packages, scripts, conflicts, share };
  const { key: registries, credentials } = sources;
  const rest = [readAbi(), registries, credentials, lookup.listBlocked(), settings.timeout];
  return shorten(JSON.stringify([declared, lock, ...rest]));
}

/**
 * A failure in force, with its host if it is the failure of a host. `until` is the latest of all failures in
 * force: no attempt is made before.
 */
export interface Remembered {
  failure: Failure;
  host?: string;
  /** Whether it comes from the store, to which others may be able to write. */
  isStored: boolean;
}

/** The failures that count. */
export interface Memory {
  /** The failure that this thread remembers, for stores that cannot be written. */
  local?: Failure | undefined;
  /** Failures in the store that do not count, since a retry was asked for. */
  ignored?: Ignored | undefined;
}

/** Lets `findRemembered` see a failure of the feature that another host has just remembered. */
export function lookForFailure({ settings, feature }: Lookup): void {
  lookAfresh(settings.store ?? '', [VERSION, FAILURES, failureName(feature.slug)]);
}

/** The failure that prevents an attempt now: of the feature, or of a host of its packages. */
export function findRemembered(lookup: Lookup, { local, ignored }: Memory): Remembered | undefined {
  const { settings, feature } = lookup;
  const { store = '' } = settings;
  const now = Date.now();
  const stored = readInForce(store, feature.slug, now, ignored);
  const failures = local !== undefined && isInForce(local, now) ? [...stored, local] : stored;
  const hasHosts = hasFailedHosts(store);
  if (failures.length === 0 && !hasHosts) return undefined;
  const sources = findSources(lookup);
  const key = failures.length === 0 ? '' : findKey(lookup, sources);
  const found: Remembered[] = failures
    .filter((one) => one.key === key)
    .map((failure) => ({ failure, isStored: failure !== local }));
  for (const host of hasHosts ? sources.hosts : []) {
    const failed = readInForce(store, hostName(host), now, ignored);
    const failure = failed.find((one) => one.key === sources.key);
    if (failure !== undefined) found.push({ failure, host, isStored: true });
  }
  const [first] = found;
  if (first === undefined) return undefined;
  const until = Math.max(...found.map(({ failure }) => failure.until));
  return { ...first, failure: { ...first.failure, until } };
}

/**
 * Remembers the failure of a feature in the store, and that of a host that did not answer.
 *
 * @param command the command that tries the feature again, for the hint
 * @param ignored failures that did not prevent this attempt
 * @param damaged the entry that was to be replaced: later lookups do not find it, and its damage is a reason too
 */
export function remember(
  lookup: Lookup,
  refusal: Refusal,
  {
    command,
    ignored,
    damaged,
  }: { command: string; ignored: Ignored | undefined; damaged?: Damaged | undefined },
): void {
  const { settings, feature } = lookup;
  const { store = '' } = settings;
  const sources = findSources(lookup);
  const times = { ignored, now: Date.now() };
  const { host, hint } = refusal;
  const whole = damaged === undefined ? refusal : refuseDamage(damaged, refusal);
  const ofFeature = { ...whole, hint: `${hint}, then ${command}` };
  const key = findKey(lookup, sources);
  addFailure(store, feature.slug, { key, feature: feature.name, refusal: ofFeature }, times);
  if (host === undefined) return;
  addFailure(store, hostName(host), { key: sources.key, feature: feature.name, refusal }, times);
}

/**
 * Forgets the failures of a feature and its hosts after an install from them.
 *
 * @param start of the install, ms since the epoch: what a host has told others since then holds
 */
export function forget(lookup: Lookup, start: number): void {
  const { settings, feature } = lookup;
  const { store = '' } = settings;
  const sources = findSources(lookup);
  clearFailure(store, feature.slug, findKey(lookup, sources));
  if (!hasFailedHosts(store)) return;
  for (const host of sources.hosts) clearFailure(store, hostName(host), sources.key, start);
}

/** The failure of a feature for the memory of this thread. */
export function makeLocalFailure(
  lookup: Lookup,
  refusal: Refusal,
  last: Failure | undefined,
): Failure {
  const key = findKey(lookup, findSources(lookup));
  return nextFailure(last, { key, feature: lookup.feature.name, refusal }, Date.now());
}
