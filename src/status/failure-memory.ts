/** What is remembered of a feature that failed in this configuration, and of the hosts that it comes from. */
import type { Lookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { digest } from '../base/digest.ts';
import { hostName } from '../base/store-layout.ts';
import { readNpmrc } from '../registry/npmrc.ts';
import { describeCredentials, describeSources, makeRegistryFor } from '../registry/registries.ts';
import { readInstallerEnv } from '../settings/environment.ts';
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
import type { Refusal } from '../types.ts';

/** Where the packages of a feature come from. */
interface Sources {
  /** The same for all processes that would ask the same places in the same way. */
  key: string;
  /** Changes with what signs in there. */
  credentials: string;
  /** Hosts of the registries of the declared packages. */
  hosts: string[];
}

/** Looked up only when something failed before: it reads npm's settings. */
function findSources({ settings, feature }: Lookup): Sources {
  const env = readInstallerEnv(settings);
  const { levels } = readNpmrc(settings.core.root, env);
  const registryFor = makeRegistryFor(levels);
  const hosts = Object.keys(feature.packages)
    .map(registryFor)
    .flatMap((url) => (URL.canParse(url) ? new URL(url).host : []));
  const credentials = describeCredentials(levels, env, mark);
  return { key: shorten(describeSources(levels, env)), credentials, hosts: [...new Set(hosts)] };
}

/**
 * Eight bits of a token or password: of 256 changes one is not noticed. The key of a failure is stored
 * where others may read it, and all else in it is known to them: these bits are what they can find out
 * by guessing, the same ones in every key.
 */
const mark = (value: string): string => digest(value).slice(0, 2);

const shorten = (text: string): string => digest(text).slice(0, 16);

/**
 * What has to be equal for a failure to say something about another try: the declaration, the lock
 * with all that it pins, Node's ABI, where packages come from and what signs in there, what is blocked,
 * and the time limit.
 */
function findKey({ settings, feature, ...lookup }: Lookup, sources: Sources): string {
  const { name, packages, scripts, conflicts, share } = feature;
  const lock = lookup.readLock().pin?.sidecar;
  const declared = { name, packages, scripts, conflicts, share };
  const { key: places, credentials } = sources;
  const rest = [readAbi(), places, credentials, lookup.listBlocked(), settings.timeout];
  return shorten(JSON.stringify([declared, lock, ...rest]));
}

/**
 * A failure that still counts, and the host when it is a host's. Its `until` is the last of all that
 * count: before that, no try is made.
 */
export interface Remembered {
  failure: Failure;
  host?: string;
  /** Whether a store says so, which others may be able to write. */
  isStored: boolean;
}

/** Which failures count, besides all that the store remembers. */
export interface Memory {
  /** The failure of this feature that this thread remembers: a store may be unwritable. */
  local?: Failure | undefined;
  /** Failures in the store that do not count: a retry was asked for. */
  ignored?: Ignored | undefined;
}

/**
 * The failure that keeps a feature from being tried now: its own, or that of a host that its
 * packages come from.
 */
export function findRemembered(lookup: Lookup, { local, ignored }: Memory): Remembered | undefined {
  const { settings, feature } = lookup;
  const { store = '' } = settings;
  const now = Date.now();
  const isOwn = local !== undefined && isInForce(local, now);
  const own = [...readInForce(store, feature.slug, now, ignored), ...(isOwn ? [local] : [])];
  const hasHosts = hasFailedHosts(store);
  if (own.length === 0 && !hasHosts) return undefined;
  const sources = findSources(lookup);
  const key = own.length === 0 ? '' : findKey(lookup, sources);
  const found: Remembered[] = own
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
 * Remembers in the store that a feature failed, and of a host that it did not answer.
 *
 * @param command what a person types to try the feature again, for the hint
 * @param ignored failures that did not keep this try from starting
 */
export function remember(
  lookup: Lookup,
  refusal: Refusal,
  { command, ignored }: { command: string; ignored: Ignored | undefined },
): void {
  const { settings, feature } = lookup;
  const { store = '' } = settings;
  const sources = findSources(lookup);
  const times = { ignored, now: Date.now() };
  const { host, hint } = refusal;
  const own = { ...refusal, hint: `${hint}, then ${command}` };
  const key = findKey(lookup, sources);
  addFailure(store, feature.slug, { key, feature: feature.name, refusal: own }, times);
  if (host === undefined) return;
  addFailure(store, hostName(host), { key: sources.key, feature: feature.name, refusal }, times);
}

/** Forgets it, now that the feature was had from those hosts. */
export function forget(lookup: Lookup): void {
  const { settings, feature } = lookup;
  const { store = '' } = settings;
  const sources = findSources(lookup);
  clearFailure(store, feature.slug, findKey(lookup, sources));
  if (!hasFailedHosts(store)) return;
  for (const host of sources.hosts) clearFailure(store, hostName(host), sources.key);
}

/** The next failure of a feature in this thread. */
export function makeLocalFailure(
  lookup: Lookup,
  refusal: Refusal,
  last: Failure | undefined,
): Failure {
  const key = findKey(lookup, findSources(lookup));
  return nextFailure(last, { key, feature: lookup.feature.name, refusal }, Date.now());
}
