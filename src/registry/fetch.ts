/** Fetches locked tarballs: npm's cache, then the registry, and only bytes with the locked digest. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeRefused } from '../errors.ts';
import { readRegular } from '../store/regular.ts';
import type { Refusal } from '../types.ts';
import { type Answer, createClient } from './client.ts';
import {
  isPassing,
  refuseAnswer,
  refuseDigest,
  refuseStatus,
  refuseUncached,
  refuseUnlocked,
} from './failure.ts';
import type { NpmSettings } from './npm-settings.ts';
import { conventionalUrl, placeUrl } from './tarball-url.ts';

/** A tarball as the lock names it. */
export interface Wanted {
  name: string;
  version: string;
  /** Subresource integrity: one or more digests, of which a sha512 is needed. */
  integrity: string;
  /** Bytes, when the lock knows. */
  size?: number;
  /** Where it was when it was locked. */
  resolved?: string;
}

/** Fetches with one set of settings and kept connections. */
export interface Fetcher {
  /**
   * A whole tarball, in memory, with the locked sha512. Concurrency is the caller's; a tarball under
   * way takes up to 8 MiB of memory, and the rest of it waits on the disk.
   *
   * @throws an error with a refusal (`refusalOf`): unreachable, refused, unknown, other bytes
   * @throws the signal's reason when it is aborted
   */
  fetchTarball(wanted: Wanted): Promise<Buffer>;
  /** Drops every connection; what is under way rejects. */
  close(): void;
}

/** Bytes of a tarball whose size no lock knows. */
const MOST_TARBALL = 256 * 2 ** 20;
/** Bytes of a packument, of all versions, with everything in it. */
const MOST_PACKUMENT = 64 * 2 ** 20;

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
  const cache = join(settings.cache, '_cacache', 'content-v2', 'sha512');
  let hasCache: boolean | undefined;

  /** The answer for a tarball; the packument is asked where a registry has ways of its own. */
  const ask = async (wanted: Wanted): Promise<Answer> => {
    const { name, version, resolved, size: most = MOST_TARBALL } = wanted;
    const purpose = { name, what: `${name}@${version}`, accept: '*/*', most };
    const registry = settings.registryFor(name);
    const place = (url: string): string =>
      placeUrl(url, settings.registryFor(''), settings.replaceRegistryHost);
    if (resolved !== undefined && URL.canParse(resolved)) {
      return client.get(place(resolved), purpose);
    }
    const answer = await client.get(conventionalUrl(registry, name, version), purpose);
    if (answer.status !== 404) return answer;
    const packument = await client.get(`${registry}${name.replace('/', '%2f')}`, {
      ...purpose,
      most: MOST_PACKUMENT,
      accept: 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*',
    });
    if (packument.status !== 200) return packument;
    const url = readTarballUrl(packument, version);
    if (url === undefined) return answer;
    const placed = place(url);
    // As for a redirect: a token that is meant for https must not go without it.
    if (registry.startsWith('https:') && placed.startsWith('http:')) {
      throw makeRefused(refuseAnswer(packument.asked, 'lists an address without https'));
    }
    return client.get(placed, purpose);
  };

  const attempt = async (wanted: Wanted, digests: string[]): Promise<Buffer | Failure> => {
    try {
      const { asked, status, body, retryAfter } = await ask(wanted);
      if (status !== 200) {
        return { refusal: refuseStatus(asked, status), isPassing: isPassing(status), retryAfter };
      }
      const got = digest(body);
      if (digests.includes(got)) return body;
      // A proxy may have cut it, or put a page of its own in its place.
      const refusal = refuseDigest(asked, digests[0] ?? '', got, body.length);
      return { refusal, isPassing: true };
    } catch (error) {
      const failure = error as Partial<Failure>;
      if (failure.refusal === undefined || failure.isPassing !== true) throw error;
      return failure as Failure;
    }
  };

  return {
    async fetchTarball(wanted) {
      const what = `${wanted.name}@${wanted.version}`;
      const digests = listSha512(wanted.integrity);
      if (digests.length === 0) throw makeRefused(refuseUnlocked(what));
      hasCache ??= existsSync(cache);
      const cached =
        hasCache && digests.map((one) => readCached(cache, one, wanted.size)).find(Boolean);
      if (cached) return cached;
      if (settings.offline) throw makeRefused(refuseUncached(what));
      const first = await attempt(wanted, digests);
      if (Buffer.isBuffer(first)) return first;
      const wait = Math.max(settings.backoff, first.retryAfter ?? 0);
      if (!first.isPassing || wait > MAX_WAIT) throw makeRefused(first.refusal);
      // Not all that were turned away together come back together.
      await client.wait(wait + Math.random() * settings.backoff);
      const second = await attempt(wanted, digests);
      if (Buffer.isBuffer(second)) return second;
      throw makeRefused(second.refusal);
    },
    close: client.close,
  };
}

interface Failure {
  refusal: Refusal;
  /** Whether another try may go well. */
  isPassing: boolean;
  retryAfter?: number | undefined;
}

/** Not imported: that asks `node:crypto` for all that it exports, and loads more than hashes. */
const { createHash } = process.getBuiltinModule('node:crypto');

const digest = (bytes: Buffer): string =>
  `sha512-${createHash('sha512').update(bytes).digest('base64')}`;

/** The sha512 digests of an SSRI text, without its options. */
const listSha512 = (integrity: string): string[] =>
  integrity
    .split(/\s+/)
    .filter((one) => one.startsWith('sha512-'))
    .map((one) => one.replace(/\?.*$/, ''));

/**
 * A tarball from npm's cache, where it lies under its digest; read only, and checked.
 *
 * @param cache the directory of all that has a sha512
 * @see https://github.com/npm/cacache/blob/v20.0.1/lib/content/path.js
 */
function readCached(cache: string, wanted: string, most = MOST_TARBALL): Buffer | undefined {
  const hex = Buffer.from(wanted.slice('sha512-'.length), 'base64').toString('hex');
  const path = join(cache, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
  try {
    // Asked first: an error for each package that is not there costs more than all of them.
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
    const bytes = readRegular(path, most);
    return digest(bytes) === wanted ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Where a packument says that the tarball of a version is. */
function readTarballUrl({ asked, body }: Answer, version: string): string | undefined {
  let packument: { versions?: Record<string, { dist?: { tarball?: unknown } }> } | null;
  try {
    packument = JSON.parse(body.toString());
  } catch {
    throw makeRefused(refuseAnswer(asked, 'lists its versions in what is no JSON'));
  }
  const tarball = packument?.versions?.[version]?.dist?.tarball;
  return typeof tarball === 'string' ? tarball : undefined;
}
