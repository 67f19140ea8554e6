/** Brings the packages of a plan into a directory: fetched, verified and unpacked, several at a time. */
import { join } from 'node:path';
import type { PackageRecord } from '../app/pin.ts';
import { computeIntegrity } from '../base/digest.ts';
import { AnnexError } from '../base/error.ts';
import { codeOf, messageOf } from '../base/thrown.ts';
import type { LockNode } from '../plan/graph.ts';
import { createFetcher, type Wanted } from '../registry/fetch.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import type { Listings } from '../store/listing.ts';
import { type Budget, type Extracted, extractTarball } from '../tarball/extract.ts';

/** What was brought. */
export interface Unpacked {
  listings: Listings;
  /** Path of a package to the bytes of its tarball. */
  sizes: Record<string, number>;
  /** The addresses that tarballs were asked for at; none of those from npm's cache. */
  addresses: Record<string, string>;
  /** The sha512 of tarballs that are being locked. */
  integrities: Record<string, string>;
  bytes: number;
  hasAddon: boolean;
  /** The directories that were made; everything else has its final mode already. */
  directories: Set<string>;
}

/** Transfers at a time: what waits in memory is at most as many tarballs. */
const PARALLEL = 8;
/** Of one install: entries and unpacked bytes. */
const MOST_FILES = 200_000;
const MOST_BYTES = 2 * 2 ** 30;

/** What is to be unpacked, and where. */
export interface Unpacking {
  nodes: LockNode[];
  /** What paths of packages are relative to. */
  dir: string;
  npm: NpmSettings;
  signal: AbortSignal;
  /** What the lock says of the packages, by path; none without a lock. */
  records?: Record<string, PackageRecord> | undefined;
  /** They are being locked: any digest that the registry lists will do. What was locked before. */
  first?: { places: Record<string, string> } | undefined;
}

/**
 * Fetches and unpacks; what comes bundled comes with the package around it.
 *
 * @throws errors of the file system as they are, and an error with a refusal for everything else
 */
export async function unpackAll(unpacking: Unpacking): Promise<Unpacked> {
  const { nodes, dir, npm, signal, records = {}, first } = unpacking;
  const isFirst = first !== undefined;
  const stop = new AbortController();
  const fetcher = createFetcher(npm, AbortSignal.any([signal, stop.signal]), dir);
  const budget: Budget = { files: MOST_FILES, bytes: MOST_BYTES };
  const directories = new Set<string>();
  const unpacked: Unpacked = {
    listings: {},
    sizes: {},
    addresses: {},
    integrities: {},
    bytes: 0,
    hasAddon: false,
    directories,
  };
  const queue = nodes.filter(({ isBundled }) => !isBundled);
  const work = async (): Promise<void> => {
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      const { path, name, version, integrity, resolved } = node;
      const { size, place } = records[path] ?? { place: first?.places[path] };
      const wanted: Wanted = {
        name,
        version,
        isFirst,
        ...(integrity !== undefined && { integrity }),
        ...(resolved !== undefined && { resolved }),
        ...(size !== undefined && { size }),
        ...(place !== undefined && { place }),
      };
      const { tarball, address } = await fetcher.fetchTarball(wanted);
      const { listing, bytes, hasAddon, ...made } = extract(tarball, node, join(dir, path), budget);
      unpacked.listings[path] = listing;
      unpacked.sizes[path] = tarball.length;
      if (address !== undefined) unpacked.addresses[path] = address;
      if (isFirst) unpacked.integrities[path] = computeIntegrity(tarball, 'sha512');
      unpacked.bytes += bytes;
      unpacked.hasAddon ||= hasAddon;
      const steps = path.split('/');
      for (const [index] of steps.entries()) directories.add(steps.slice(0, index + 1).join('/'));
      for (const directory of made.directories) directories.add(`${path}/${directory}`);
    }
  };
  const workers = Array.from({ length: PARALLEL }, async () => {
    try {
      await work();
    } catch (error) {
      // The first failure ends the others; nothing is written once this has settled.
      queue.length = 0;
      stop.abort(error);
    }
  });
  await Promise.allSettled(workers);
  fetcher.close();
  stop.signal.throwIfAborted();
  return unpacked;
}

function extract(
  tarball: Buffer,
  { name, version }: LockNode,
  dir: string,
  budget: Budget,
): Extracted {
  try {
    return extractTarball(tarball, dir, budget);
  } catch (error) {
    if (codeOf(error) !== 'ANNEX_INTEGRITY') throw error;
    const reason = `the tarball of ${name} ${version}: ${messageOf(error)}`;
    throw new AnnexError({ code: 'ANNEX_INTEGRITY', reason, hint: 'use another version of it' });
  }
}
