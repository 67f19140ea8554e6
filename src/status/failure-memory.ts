/** What is remembered of a feature that failed in this configuration, and of the hosts that it comes from. */
import { listBlocked } from '../app/blocked.ts';
import { readPin } from '../app/pin.ts';
import { readAbi } from '../base/abi.ts';
import { digest } from '../base/digest.ts';
import { hostName } from '../base/store-layout.ts';
import { readNpmrc } from '../registry/npmrc.ts';
import { describeCredentials, describeSources, makeRegistryFor } from '../registry/registries.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
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
function findSources(settings: Settings, { packages }: Feature): Sources {
  const env = readInstallerEnv(settings);
  const { levels } = readNpmrc(settings.core.root, env);
  const registryFor = makeRegistryFor(levels);
  const hosts = Object.keys(packages)
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
function findKey(settings: Settings, feature: Feature, sources: Sources): string {
  const { name, packages, scripts, conflicts, share } = feature;
  const pin = readPin(settings.core.root, feature);
  const lock = pin !== undefined && 'sidecar' in pin ? pin.sidecar : undefined;
  const declared = { name, packages, scripts, conflicts, share };
  const { key: places, credentials } = sources;
  const rest = [readAbi(), places, credentials, listBlocked(settings), settings.timeout];
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

/**
 * The failure that keeps a feature from being tried now: its own, or that of a host that its
 * packages come from.
 *
 * @param local what this thread itself remembers of it (a store may be unwritable)
 * @param ignored failures of the store that do not count
 */
export function findRemembered(
  settings: Settings,
  feature: Feature,
  local: Failure | undefined,
  ignored: Ignored | undefined,
): Remembered | undefined {
  const { store = '' } = settings;
  const now = Date.now();
  const isOwn = local !== undefined && isInForce(local, now);
  const own = [...readInForce(store, feature.slug, now, ignored), ...(isOwn ? [local] : [])];
  const hasHosts = hasFailedHosts(store);
  if (own.length === 0 && !hasHosts) return undefined;
  const sources = findSources(settings, feature);
  const key = own.length === 0 ? '' : findKey(settings, feature, sources);
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
 * @param before what was remembered when the try began
 */
export function remember(
  settings: Settings,
  feature: Feature,
  refusal: Refusal,
  { command, before }: { command: string; before: Ignored },
): void {
  const { store = '' } = settings;
  const sources = findSources(settings, feature);
  const times = { before, now: Date.now() };
  const { host, hint } = refusal;
  const own = { ...refusal, hint: `${hint}, then ${command}` };
  const key = findKey(settings, feature, sources);
  addFailure(store, feature.slug, { key, feature: feature.name, refusal: own }, times);
  if (host === undefined) return;
  addFailure(store, hostName(host), { key: sources.key, feature: feature.name, refusal }, times);
}

/** Forgets it, now that the feature was had from those hosts. */
export function forget(settings: Settings, feature: Feature): void {
  const { store = '' } = settings;
  const sources = findSources(settings, feature);
  clearFailure(store, feature.slug, findKey(settings, feature, sources));
  if (!hasFailedHosts(store)) return;
  for (const host of sources.hosts) clearFailure(store, hostName(host), sources.key);
}

/** The next failure of a feature in this thread. */
export function makeLocalFailure(
  settings: Settings,
  feature: Feature,
  refusal: Refusal,
  last: Failure | undefined,
): Failure {
  const key = findKey(settings, feature, findSources(settings, feature));
  return nextFailure(last, { key, feature: feature.name, refusal }, Date.now());
}
