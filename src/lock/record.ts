/** What a lock records of packages: digests of what came, sizes, and places of tarballs. */
import { join } from 'node:path';
import { MOST_LOCK, type PackageRecord } from '../app/pin.ts';
import { digest } from '../base/digest.ts';
import { readJson } from '../base/files.ts';
import { isTransient } from '../base/thrown.ts';
import type { Unpacked } from '../install/unpack.ts';
import type { LockNode } from '../plan/graph.ts';
import type { Plan } from '../plan/plan.ts';
import { type LockedPackages, sortKeys } from '../plan/project.ts';
import { readDigests } from '../registry/integrity.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import { PUBLIC_REGISTRY } from '../registry/registries.ts';
import { addressOf, conventionalUrl, findPlace } from '../registry/tarball-url.ts';

/** Places of tarballs, by the path of the package. */
export type Places = Record<string, string>;

/** The places that were locked before; none when they cannot be read. */
export function readPlaces(dir: string): Places {
  try {
    const { packages } = readJson(join(dir, 'annex.json'), MOST_LOCK, 'follow') as {
      packages: Record<string, Partial<PackageRecord>>;
    };
    const records = Object.entries(packages);
    return Object.fromEntries(
      records.flatMap(([path, { place }]) => (typeof place === 'string' ? [[path, place]] : [])),
    );
  } catch (error) {
    if (isTransient(error)) throw error;
    return {};
  }
}

/**
 * The same plan and packages, with the sha512 of what came where the registry lists none.
 */
export function pinDigests(
  plan: Plan,
  packages: LockedPackages,
  { integrities }: Unpacked,
): { plan: Plan; packages: LockedPackages } {
  const pin = <T extends object>(path: string, one: T): T => {
    const { integrity } = one as { integrity?: string };
    const came = integrities[path];
    const isListed = readDigests(integrity)?.algorithm === 'sha512';
    return came === undefined || isListed ? one : { ...one, integrity: came };
  };
  const nodes = [...plan.nodes].map(([path, node]) => [path, pin(path, node)] as const);
  const locked = Object.entries(packages).map(([path, one]) => [path, pin(path, one)] as const);
  return { plan: { ...plan, nodes: new Map(nodes) }, packages: Object.fromEntries(locked) };
}

/** The records of an `annex.json`. */
export function recordPackages(
  nodes: LockNode[],
  { listings, sizes, addresses }: Unpacked,
  npm: NpmSettings,
  known: Places,
): Record<string, PackageRecord> {
  const records: Record<string, PackageRecord> = {};
  for (const node of nodes) {
    const { path, resolved } = node;
    const listing = listings[path];
    if (listing === undefined) continue;
    const registry = npm.registryFor(node.name);
    const address = resolved ?? addresses[path];
    const found = address === undefined ? known[path] : findPlace(address, registry);
    const place = found !== undefined && isOwn(node, found, npm) ? found : undefined;
    records[path] = {
      size: sizes[path] ?? 0,
      listing: digest(listing),
      listed: Buffer.byteLength(listing),
      ...(place !== undefined && { place }),
    };
  }
  return sortKeys(records);
}

/** Whether an install has to know a place: it could not guess it, or must not guess whose it is. */
function isOwn({ name, version }: LockNode, place: string, npm: NpmSettings): boolean {
  const registry = npm.registryFor(name);
  if (registry === PUBLIC_REGISTRY) return false;
  const usual = addressOf(conventionalUrl(registry, name, version), registry);
  const isGuessed = addressOf(place, registry) === usual;
  return !isGuessed || registry !== npm.registryFor('');
}
