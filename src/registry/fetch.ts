/** Fetches tarballs: npm's cache, then the registry, and only bytes that match the digest. */
import { computeIntegrity, type Digests, isStrong, readDigests } from '../base/digest.ts';
import { AnnexError } from '../base/error.ts';
import { fieldOf } from '../base/shape.ts';
import { decode, fetchPackument, MAX_PACKUMENT, readAnswer } from './answer.ts';
import { createClient, type Extent, type RegistryResponse } from './client.ts';
import {
  failResponse,
  isRequestError,
  makeRequestError,
  type RequestError,
  refuseDigest,
  refuseUncached,
  refuseWeak,
} from './failure.ts';
import { openCache } from './npm-cache.ts';
import type { NpmSettings } from './npm-settings.ts';
import { withRetries } from './retry.ts';
import { addressOf, conventionalUrl, placeUrl } from './tarball-url.ts';

/** A tarball as the lock, or a registry, names it. */
export interface Wanted {
  name: string;
  version: string;
  /** Subresource Integrity. */
  integrity?: string;
  /** The package is being locked: a weak digest, or none, is enough. */
  isLocking?: boolean;
  /** Bytes, when the lock states them. */
  size?: number;
  /** Its address in the lock, if it is on another host than the registry. */
  resolved?: string;
  /** Its path on a registry other than the public one, relative to the registry. */
  place?: string;
  /** Called with the number of bytes of each chunk that arrives, also of an attempt that fails. */
  onBytes?: (count: number) => void;
}

/** A tarball that was fetched. */
export interface Fetched {
  tarball: Buffer;
  /** The requested address; undefined for a tarball from npm's cache. */
  address?: string;
}

/** Fetches with one set of settings and kept connections. */
export interface Fetcher {
  /**
   * Fetches a whole tarball that matches the digest. The caller limits concurrency; a pending tarball
   * takes up to 8 MiB of memory, and the rest of it waits on the disk.
   *
   * @throws AnnexError when the registry is unreachable, refuses, or has other bytes
   * @throws the signal's reason when it is aborted
   */
  fetchTarball(wanted: Wanted): Promise<Fetched>;
  /** Lets requests under way finish; those that wait, and further ones, reject with the reason. */
  finish(reason: unknown): void;
  /** Drops every connection; pending requests reject. */
  close(): void;
}

/** Bytes of a tarball without a locked size. */
const MAX_TARBALL = 256 * 2 ** 20;

/** Statuses of a registry that limits requests: another address gets the same. */
const BUSY: (number | undefined)[] = [408, 420, 429];

/**
 * @param dir for tarballs that are too large for memory
 * @example
 * const fetcher = createFetcher(readNpmSettings(core, env), signal, staging);
 * const { tarball } = await fetcher.fetchTarball({ name: 'exa-js', version: '1.9.0', integrity });
 */
export function createFetcher(
  settings: NpmSettings,
  signal: AbortSignal,
  dir: string,
  extent?: Extent,
): Fetcher {
  const client = createClient(settings, signal, dir, extent);
  const findCached = openCache(settings.cache);

  const fetchFrom = async (address: string, wanted: Wanted): Promise<Fetched> => {
    const { name, integrity, isLocking = false, size: maxBytes = MAX_TARBALL, onBytes } = wanted;
    const label = labelOf(wanted);
    const response = await client.get(address, {
      name,
      label,
      accept: '*/*',
      maxBytes,
      ...(onBytes && { onBytes }),
    });
    const digests = readDigests(integrity);
    const tarball = findBytes(response, digests, maxBytes);
    if (tarball !== undefined) return { tarball, address };
    // A proxy may have truncated it, or replaced it with an error page.
    const { algorithm = 'sha512', all = [] } = digests ?? {};
    const got = computeIntegrity(response.body, algorithm);
    const facts = { wanted: all[0] ?? '', got, size: response.body.length, isLocking };
    throw makeRequestError(refuseDigest(response.target, facts), { isTransient: true });
  };

  /** The address that the registry lists; undefined when it does not list that version. */
  const findListed = async (wanted: Wanted, registry: string): Promise<string | undefined> => {
    const { name, version } = wanted;
    const response = await fetchPackument(client, registry, { name, label: labelOf(wanted) });
    const url = readTarballUrl(response, version);
    if (url === undefined || !URL.canParse(url)) return url;
    const placed = new URL(placeUrl(url, registry, settings.replaceRegistryHost));
    // As for a redirect: a token for https must not be sent without it.
    if (registry.startsWith('https:') && placed.protocol === 'http:') {
      throw failResponse(response.target, 'lists an address without https');
    }
    return placed.href;
  };

  /** Tries the known or conventional address, then the one that the registry lists. */
  const attempt = async (wanted: Wanted): Promise<Fetched> => {
    const { name, version, resolved, place } = wanted;
    if (resolved !== undefined && URL.canParse(resolved)) {
      const defaultRegistry = settings.registryFor('');
      return fetchFrom(placeUrl(resolved, defaultRegistry, settings.replaceRegistryHost), wanted);
    }
    const registry = settings.registryFor(name);
    const known = place === undefined ? undefined : addressOf(place, registry);
    const guess = known ?? conventionalUrl(registry, name, version);
    try {
      return await fetchFrom(guess, wanted);
    } catch (first) {
      if (!isRequestError(first) || isFinal(first, registry)) throw first;
      const listed = await findListed(wanted, registry).catch((second: unknown) => {
        throw chooseError(first, second);
      });
      if (listed === undefined || listed === guess) throw first;
      return fetchFrom(listed, wanted);
    }
  };

  return {
    async fetchTarball(wanted) {
      const { integrity, isLocking = false, size = MAX_TARBALL } = wanted;
      const digests = readDigests(integrity);
      if (!isLocking && !isStrong(digests)) {
        throw new AnnexError(refuseWeak(labelOf(wanted), digests?.algorithm));
      }
      const cached = digests && findCached(digests, size);
      if (cached !== undefined) return { tarball: cached };
      if (settings.offline) throw new AnnexError(refuseUncached(labelOf(wanted)));
      return withRetries(() => attempt(wanted), client, settings);
    },
    finish: client.finish,
    close: client.close,
  };
}

const labelOf = ({ name, version }: Wanted): string => `${name}@${version}`;

/** Whether another address on the registry would fail the same way. */
const isFinal = (
  { refusal, status, retryAfter, isUnreachable }: RequestError,
  registry: string,
): boolean =>
  BUSY.includes(status) ||
  retryAfter !== undefined ||
  (isUnreachable === true && URL.canParse(registry) && refusal.host === new URL(registry).host);

/** Some registries answer 404 for a tarball and ask for another token only for the packument. */
const chooseError = (first: RequestError, second: unknown): unknown =>
  !isRequestError(second) || (!first.isTransient && (first.status === 404 || second.isTransient))
    ? second
    : first;

/** The tarball in a response: its bytes, or those without an encoding that was not requested. */
function findBytes(
  response: RegistryResponse,
  digests: Digests | undefined,
  maxBytes: number,
): Buffer | undefined {
  const isMatch = (bytes: Buffer | undefined): boolean =>
    bytes !== undefined &&
    (digests === undefined || digests.all.includes(computeIntegrity(bytes, digests.algorithm)));
  if (isMatch(response.body)) return response.body;
  const decoded = decode(response, maxBytes);
  return isMatch(decoded) ? decoded : undefined;
}

/** The address of a version's tarball in a packument. */
function readTarballUrl(response: RegistryResponse, version: string): string | undefined {
  const { versions } = readAnswer(response, MAX_PACKUMENT);
  const tarball = fieldOf(fieldOf(fieldOf(versions, version), 'dist'), 'tarball');
  return typeof tarball === 'string' ? tarball : undefined;
}
