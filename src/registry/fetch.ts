/** Fetches tarballs: npm's cache, then the registry, and only bytes with the digest that is wanted. */
import { gunzipSync } from 'node:zlib';
import { computeIntegrity } from '../base/digest.ts';
import { AnnexError } from '../base/error.ts';
import type { Refusal } from '../types.ts';
import { type Answer, createClient, type Purpose } from './client.ts';
import {
  isPassing,
  refuseAnswer,
  refuseDigest,
  refuseStatus,
  refuseUncached,
  refuseWeak,
} from './failure.ts';
import { type Digests, isStrong, readDigests } from './integrity.ts';
import { openCache } from './npm-cache.ts';
import type { NpmSettings } from './npm-settings.ts';
import { addressOf, conventionalUrl, placeUrl } from './tarball-url.ts';

/** A tarball as the lock, or a registry, names it. */
export interface Wanted {
  name: string;
  version: string;
  /** Subresource integrity. */
  integrity?: string;
  /** It is being locked: a weak digest will do, and so will none. */
  isFirst?: boolean;
  /** Bytes, when the lock knows. */
  size?: number;
  /** Where it was when it was locked, on another host than the registry. */
  resolved?: string;
  /** Where it was on a registry that is not the public one; relative to the registry. */
  place?: string;
}

/** A tarball that was fetched. */
export interface Fetched {
  tarball: Buffer;
  /** The address that was asked for it; undefined when it comes from npm's cache. */
  address?: string;
}

/** Fetches with one set of settings and kept connections. */
export interface Fetcher {
  /**
   * A whole tarball, in memory, with the digest that is wanted. Concurrency is the caller's; a
   * tarball under way takes up to 8 MiB of memory, and the rest of it waits on the disk.
   *
   * @throws AnnexError: unreachable, refused, unknown, other bytes
   * @throws the signal's reason when it is aborted
   */
  fetchTarball(wanted: Wanted): Promise<Fetched>;
  /** Drops every connection; what is under way rejects. */
  close(): void;
}

/** Bytes of a tarball whose size no lock knows. */
const MOST_TARBALL = 256 * 2 ** 20;
/** Bytes of a packument, of all versions, with everything in it. */
const MOST_PACKUMENT = 64 * 2 ** 20;

/** Statuses of a registry that wants fewer requests, not others. */
const BUSY = [408, 420, 429];

/** Longest wait that a registry may ask for, milliseconds. Longer ones are the next install's. */
const MAX_WAIT = 30_000;

/**
 * @param dir where tarballs go that are too large to wait in memory
 * @example
 * const fetcher = createFetcher(readNpmSettings(core, env), signal, staging);
 * const tarball = await fetcher.fetchTarball({ name: 'exa-js', version: '1.9.0', integrity });
 */
export function createFetcher(settings: NpmSettings, signal: AbortSignal, dir: string): Fetcher {
  const client = createClient(settings, signal, dir);
  const findCached = openCache(settings.cache);

  const fetchFrom = async (address: string, wanted: Wanted): Promise<Fetched | Failure> => {
    const { name, integrity, isFirst = false, size: most = MOST_TARBALL } = wanted;
    try {
      const answer = await client.get(address, {
        name,
        what: describe(wanted),
        accept: '*/*',
        most,
      });
      const { asked, status, retryAfter } = answer;
      if (status !== 200) {
        const isBusy = BUSY.includes(status);
        const refusal = refuseStatus(asked, status);
        const isUnknown = status === 404;
        return { refusal, isPassing: isPassing(status), retryAfter, isFinal: isBusy, isUnknown };
      }
      const digests = readDigests(integrity);
      const tarball = findBytes(answer, digests, most);
      if (tarball !== undefined) return { tarball, address };
      // A proxy may have cut it, or put a page of its own in its place.
      const { algorithm = 'sha512', all = [] } = digests ?? {};
      const got = computeIntegrity(answer.body, algorithm);
      const size = answer.body.length;
      const refusal = refuseDigest(asked, { wanted: all[0] ?? '', got, size, isFirst });
      return { refusal, isPassing: true, isFinal: false };
    } catch (error) {
      return toFailure(error, settings.registryFor(name));
    }
  };

  /** Where the registry says that the tarball is; undefined when it does not know that version. */
  const findListed = async (wanted: Wanted): Promise<string | Failure | undefined> => {
    const { name, version } = wanted;
    const registry = settings.registryFor(name);
    const purpose: Purpose = {
      name,
      what: describe(wanted),
      most: MOST_PACKUMENT,
      accept: 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*',
    };
    try {
      const answer = await client.get(`${registry}${name.replace('/', '%2f')}`, purpose);
      const { asked, status, retryAfter } = answer;
      if (status !== 200) {
        const refusal = refuseStatus(asked, status);
        return { refusal, isPassing: isPassing(status), retryAfter, isFinal: true };
      }
      const url = readTarballUrl(answer, version);
      if (url === undefined || !URL.canParse(url)) return url;
      const placed = new URL(placeUrl(url, registry, settings.replaceRegistryHost));
      // As for a redirect: a token that is meant for https must not go without it.
      if (registry.startsWith('https:') && placed.protocol === 'http:') {
        throw new AnnexError(refuseAnswer(asked, 'lists an address without https'));
      }
      return placed.href;
    } catch (error) {
      return toFailure(error, registry);
    }
  };

  /** From where it was, and, whatever came of that, from where the registry says that it is. */
  const attempt = async (wanted: Wanted): Promise<Fetched | Failure> => {
    const { name, version, resolved, place } = wanted;
    if (resolved !== undefined && URL.canParse(resolved)) {
      const usual = settings.registryFor('');
      return fetchFrom(placeUrl(resolved, usual, settings.replaceRegistryHost), wanted);
    }
    const registry = settings.registryFor(name);
    const known = place === undefined ? undefined : addressOf(place, registry);
    const guess = known ?? conventionalUrl(registry, name, version);
    const first = await fetchFrom(guess, wanted);
    if ('tarball' in first || first.isFinal) return first;
    const listed = await findListed(wanted);
    if (typeof listed === 'string') return listed === guess ? first : fetchFrom(listed, wanted);
    if (listed === undefined || first.isPassing) return first;
    // A registry may say 404 of a tarball, and of the package that it wants another token.
    return first.isUnknown === true || listed.isPassing ? listed : first;
  };

  return {
    async fetchTarball(wanted) {
      const { integrity, isFirst = false, size = MOST_TARBALL } = wanted;
      const digests = readDigests(integrity);
      if (!isFirst && !isStrong(digests)) {
        throw new AnnexError(refuseWeak(describe(wanted), digests?.algorithm));
      }
      const cached = digests && findCached(digests, size);
      if (cached !== undefined) return { tarball: cached };
      if (settings.offline) throw new AnnexError(refuseUncached(describe(wanted)));
      const first = await attempt(wanted);
      if ('tarball' in first) return first;
      const wait = Math.max(settings.backoff, first.retryAfter ?? 0);
      if (!first.isPassing || wait > MAX_WAIT) throw new AnnexError(first.refusal);
      // Not all that were turned away together come back together.
      await client.wait(wait + Math.random() * settings.backoff);
      const second = await attempt(wanted);
      if ('tarball' in second) return second;
      throw new AnnexError(second.refusal);
    },
    close: client.close,
  };
}

interface Failure {
  refusal: Refusal;
  /** Whether another try may go well. */
  isPassing: boolean;
  /** Whether it is no use to ask the registry for another address. */
  isFinal: boolean;
  /** Whether the registry says that it has no such thing. */
  isUnknown?: boolean;
  retryAfter?: number | undefined;
}

const describe = ({ name, version }: Wanted): string => `${name}@${version}`;

/** What a refused request means for the others. A registry that does not answer has no other address. */
function toFailure(error: unknown, registry: string): Failure {
  const { refusal, isPassing: passes } = error as Partial<Failure>;
  if (refusal === undefined) throw error;
  const isSilent = URL.canParse(registry) && refusal.host === new URL(registry).host;
  return { refusal, isPassing: passes === true, isFinal: isSilent };
}

/** The tarball in an answer: its bytes as they are, or without the encoding that nobody asked for. */
function findBytes(answer: Answer, digests: Digests | undefined, most: number): Buffer | undefined {
  const isWanted = (bytes: Buffer | undefined): boolean =>
    bytes !== undefined &&
    (digests === undefined || digests.all.includes(computeIntegrity(bytes, digests.algorithm)));
  if (isWanted(answer.body)) return answer.body;
  const decoded = decode(answer, most);
  return isWanted(decoded) ? decoded : undefined;
}

function decode({ body, encoding = '' }: Answer, most: number): Buffer | undefined {
  if (!/^(?:x-)?gzip$/i.test(encoding.trim())) return undefined;
  try {
    return gunzipSync(body, { maxOutputLength: most });
  } catch {
    return undefined;
  }
}

/** Where a packument says that the tarball of a version is. */
function readTarballUrl(answer: Answer, version: string): string | undefined {
  let packument: { versions?: Record<string, { dist?: { tarball?: unknown } }> } | null;
  try {
    packument = JSON.parse((decode(answer, MOST_PACKUMENT) ?? answer.body).toString());
  } catch {
    throw new AnnexError(refuseAnswer(answer.asked, 'lists its versions in what is no JSON'));
  }
  const tarball = packument?.versions?.[version]?.dist?.tarball;
  return typeof tarball === 'string' ? tarball : undefined;
}
