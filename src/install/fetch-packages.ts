/** Fetches, verifies and unpacks the packages of a plan, several at a time. */
import { join } from 'node:path';
import type { PackageRecord } from '../app/pin.ts';
import { computeIntegrity, readDigests } from '../base/digest.ts';
import { AnnexError } from '../base/error.ts';
import type { LockNode } from '../plan/graph.ts';
import { isRequestError, refuseElsewhere } from '../registry/failure.ts';
import { createFetcher, type Fetched, type Fetcher, type Wanted } from '../registry/fetch.ts';
import { type NpmSettings, readNpmSettings } from '../registry/npm-settings.ts';
import { PUBLIC_REGISTRY } from '../registry/registries.ts';
import { runNpm } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Settings } from '../settings/settings.ts';
import type { Kept } from '../store/kept.ts';
import type { Listings } from '../store/listing.ts';
import { type Budget, extractTarball } from '../tarball/extract.ts';
import type { Refusal } from '../types.ts';
import type { Progress } from './progress.ts';

/** Packages to fetch. */
export interface FetchJob {
  settings: Settings;
  nodes: LockNode[];
  /** The directory that paths of packages are relative to, and in which npm runs. */
  dir: string;
  /** A path to the same directory through an open handle; `dir` by default. */
  heldDir?: string;
  signal: AbortSignal;
  /** End of the time limit, ms of the monotonic clock; by default the limit counts from now. */
  deadline?: number;
  progress: Progress;
  /** What earlier tries have received. */
  kept?: Kept;
  /** What a lock records of packages, by path. */
  records?: Record<string, Partial<PackageRecord>>;
  /** Whether the packages are being locked: then any digest that the registry lists is accepted. */
  isLocking?: boolean;
}

/** Packages on disk; each file has its final mode. */
export interface FetchedPackages {
  listings: Listings;
  /** By the path of the package. */
  tarballs: Record<string, FetchedTarball>;
  /** The directories that were made, still writable. */
  directories: Set<string>;
}

/** A tarball that was fetched. */
export interface FetchedTarball {
  size: number;
  /** The requested address; undefined for a tarball from npm's cache. */
  address?: string;
  /** Its sha512, computed while locking. */
  integrity?: string;
}

/** Concurrent transfers: at most as many tarballs are in memory. */
const PARALLEL = 8;
/** Limits of one install: files, and unpacked bytes. */
const MAX_FILES = 200_000;
const MAX_BYTES = 2 * 2 ** 30;

/**
 * Fills `node_modules` of a directory. If npm has a setting that this process does not support, npm
 * fetches the tarballs into the cache `DIR/tarballs`; they are verified and unpacked like all others.
 *
 * @throws AnnexError, errors of the file system, and the signal's reason
 */
export async function fetchPackages(job: FetchJob): Promise<FetchedPackages> {
  const { settings, nodes } = job;
  const npm = readNpmSettings(settings.core.root, readInstallerEnv(settings));
  if (npm.offline) return unpackAll(job, npm);
  if (job.isLocking !== true) requireRegistries(job, npm);
  const isIndirect = nodes.some(
    ({ name }) => npm.indirect(npm.registryFor(name), name) !== undefined,
  );
  return unpackAll(job, isIndirect ? await fetchThroughNpm(job, npm) : npm);
}

/**
 * Rejects a package that was locked from another registry and would be requested from the public one:
 * the request would disclose its name.
 */
function requireRegistries({ nodes, records = {} }: FetchJob, npm: NpmSettings): void {
  for (const { path, name, version } of nodes) {
    if (records[path]?.place === undefined || npm.registryFor(name) !== PUBLIC_REGISTRY) continue;
    throw new AnnexError(refuseElsewhere(`${name}@${version}`, name));
  }
}

/** Has npm fetch the tarballs; returns settings that read nothing but its cache. */
async function fetchThroughNpm(job: FetchJob, npm: NpmSettings): Promise<NpmSettings> {
  const { settings, dir, nodes, signal } = job;
  const cache = join(dir, 'tarballs');
  const env = { ...readInstallerEnv(settings), npm_config_cache: cache };
  const specs = nodes.filter(({ isBundled }) => !isBundled).map((node) => toSpec(node, npm));
  const args = ['cache', 'add', ...new Set(specs)];
  try {
    await runNpm({ args, cwd: dir, core: settings.core.root, env, signal });
  } catch (error) {
    throw error instanceof AnnexError ? new AnnexError(namePackage(error.refusal, nodes)) : error;
  }
  return { ...npm, cache, offline: true };
}

/** The argument of `npm cache add`: a version, or the address of a tarball on another host. */
const toSpec = ({ name, version, resolved }: LockNode, npm: NpmSettings): string =>
  resolved === undefined || npm.isOnRegistry(resolved, name) ? `${name}@${version}` : resolved;

/** Adds the name of the package: npm reports its digest alone. */
function namePackage(refusal: Refusal, nodes: LockNode[]): Refusal {
  const { reason } = refusal;
  const node = nodes.find(({ integrity }) => integrity !== undefined && reason.includes(integrity));
  if (node === undefined) return refusal;
  return { ...refusal, reason: `${node.name}@${node.version}: ${reason}` };
}

/** Bundled packages are in the tarball of the package around them. */
async function unpackAll(job: FetchJob, npm: NpmSettings): Promise<FetchedPackages> {
  const { nodes, dir, heldDir = dir, signal, progress } = job;
  const stop = new AbortController();
  const { deadline = performance.now() + job.settings.timeout } = job;
  const ended = AbortSignal.any([signal, stop.signal]);
  const fetcher = createFetcher(npm, ended, heldDir, { deadline, tarballs: nodes.length });
  const budget: Budget = { files: MAX_FILES, bytes: MAX_BYTES };
  const fetched: FetchedPackages = {
    listings: {},
    tarballs: {},
    directories: new Set(),
  };
  const queue = nodes.filter(({ isBundled }) => !isBundled);
  const sizes = queue.map(({ path }) => job.records?.[path]?.size);
  Object.assign(progress, {
    step: 'fetching',
    packages: { done: 0, total: queue.length },
    bytes: { done: 0, total: sum(sizes) },
  });
  let failure: { error: unknown } | undefined;
  const workers = Array.from({ length: PARALLEL }, async () => {
    try {
      for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
        await unpackOne(node, { ...job, dir: heldDir }, { fetcher, budget, fetched });
      }
    } catch (error) {
      // The first failure is the result; nothing is written after this function.
      failure ??= { error };
      queue.length = 0;
      // Of a registry: what others receive is not lost.
      if (isRequestError(error)) fetcher.finish(error);
      else stop.abort(error);
    }
  });
  await Promise.allSettled(workers);
  fetcher.close();
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
  return fetched;
}

async function unpackOne(
  node: LockNode,
  { dir, records = {}, isLocking = false, progress, kept }: FetchJob,
  { fetcher, budget, fetched }: { fetcher: Fetcher; budget: Budget; fetched: FetchedPackages },
): Promise<void> {
  const { path, name, version, integrity, resolved } = node;
  const { size, place } = records[path] ?? {};
  const wanted: Wanted = {
    name,
    version,
    isLocking,
    ...(integrity !== undefined && { integrity }),
    ...(resolved !== undefined && { resolved }),
    ...(size !== undefined && { size }),
    ...(place !== undefined && { place }),
    onBytes: (count) => {
      progress.bytes.done += count;
    },
  };
  const { tarball, address } = await fetchOne(wanted, fetcher, kept);
  progress.packages.done += 1;
  if (address !== undefined) progress.hosts.add(new URL(address).host);
  const { listing, directories } = extract(tarball, node, dir, budget);
  fetched.listings[path] = listing;
  fetched.tarballs[path] = {
    size: tarball.length,
    ...(address !== undefined && { address }),
    ...(isLocking && { integrity: computeIntegrity(tarball, 'sha512') }),
  };
  const steps = path.split('/');
  for (const index of steps.keys()) fetched.directories.add(steps.slice(0, index + 1).join('/'));
  for (const directory of directories) fetched.directories.add(`${path}/${directory}`);
}

/** What came from a registry is kept: the next try may need it. */
async function fetchOne(
  wanted: Wanted,
  fetcher: Fetcher,
  kept: Kept | undefined,
): Promise<Fetched> {
  const digests = readDigests(wanted.integrity);
  const known = kept?.take(digests, wanted.size ?? MAX_BYTES);
  if (known !== undefined) return { tarball: known };
  const fetched = await fetcher.fetchTarball(wanted);
  if (fetched.address !== undefined) kept?.keep(digests, fetched.tarball);
  return fetched;
}

/** The sum of sizes; undefined when one is unknown. */
const sum = (sizes: (number | undefined)[]): number | undefined =>
  sizes.reduce((a, b) => (a === undefined || b === undefined ? undefined : a + b), 0);

function extract(
  tarball: Buffer,
  { path, name, version }: LockNode,
  dir: string,
  budget: Budget,
): ReturnType<typeof extractTarball> {
  try {
    return extractTarball(tarball, join(dir, path), budget);
  } catch (error) {
    if (!(error instanceof AnnexError)) throw error;
    const reason = `the tarball of ${name} ${version}: ${error.refusal.reason}`;
    throw new AnnexError({ ...error.refusal, reason });
  }
}
