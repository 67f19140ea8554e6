/** Brings the packages of a plan into a directory: fetched, verified and unpacked, several at a time. */
import { join } from 'node:path';
import { codeOf, makeRefused, messageOf } from '../errors.ts';
import type { LockNode } from '../plan/graph.ts';
import { createFetcher, type Wanted } from '../registry/fetch.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import type { PackageRecord } from '../sidecar.ts';
import type { Listings } from '../types.ts';
import { type Budget, type Extracted, extractTarball } from './extract.ts';

/** What was brought. */
export interface Unpacked {
  listings: Listings;
  /** Path of a package to the bytes of its tarball. */
  sizes: Record<string, number>;
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

/**
 * Fetches and unpacks; what comes bundled comes with the package around it.
 *
 * @param dir what paths of packages are relative to
 * @param records what the lock says of the packages, by path; none without a lock
 * @throws errors of the file system as they are, and an error with a refusal for everything else
 */
export async function unpackAll(
  nodes: LockNode[],
  dir: string,
  npm: NpmSettings,
  signal: AbortSignal,
  records: Record<string, PackageRecord> = {},
): Promise<Unpacked> {
  const stop = new AbortController();
  const fetcher = createFetcher(npm, AbortSignal.any([signal, stop.signal]), dir);
  const budget: Budget = { files: MOST_FILES, bytes: MOST_BYTES };
  const directories = new Set<string>();
  const unpacked: Unpacked = { listings: {}, sizes: {}, bytes: 0, hasAddon: false, directories };
  const queue = nodes.filter(({ isBundled }) => !isBundled);
  const work = async (): Promise<void> => {
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      const { path, name, version, integrity = '', resolved } = node;
      const size = records[path]?.size;
      const wanted: Wanted = {
        name,
        version,
        integrity,
        ...(resolved !== undefined && { resolved }),
        ...(size !== undefined && { size }),
      };
      const tarball = await fetcher.fetchTarball(wanted);
      const { listing, bytes, hasAddon, ...made } = extract(tarball, node, join(dir, path), budget);
      unpacked.listings[path] = listing;
      unpacked.sizes[path] = tarball.length;
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
    throw makeRefused({ code: 'ANNEX_INTEGRITY', reason, hint: 'use another version of it' });
  }
}
