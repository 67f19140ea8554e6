/** Composes the three files of a lock. The same input gives the same bytes. */
import type { PackageRecord, Sidecar } from '../app/pin.ts';
import { digest, readDigests } from '../base/digest.ts';
import { FORMAT } from '../base/store-layout.ts';
import type { FetchedPackages } from '../install/fetch-packages.ts';
import type { ResolvedPlan } from '../install/resolve.ts';
import type { LockNode } from '../plan/graph.ts';
import { installedName } from '../plan/graph.ts';
import { identifyAll } from '../plan/identity.ts';
import { composeProject, type LockedPackages, sortKeys } from '../plan/project.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import { PUBLIC_REGISTRY } from '../registry/registries.ts';
import { addressOf, conventionalUrl, placeOf } from '../registry/tarball-url.ts';
import type { Feature } from '../settings/feature.ts';
import type { Places } from './previous.ts';

/** What a lock is composed of. */
export interface LockParts {
  feature: Feature;
  platforms: string[];
  resolved: ResolvedPlan;
  /** The packages for these platforms. */
  nodes: LockNode[];
  fetched: FetchedPackages;
  npm: NpmSettings;
  /** Places of tarballs in the previous lock. */
  places: Places;
  /** Names that are not shared because of the `imports` of a package. */
  unshared: string[];
}

/** The sidecar as data, and the texts of the files beside it. */
export interface ComposedLock {
  sidecar: Sidecar;
  project: { 'package.json': string; 'package-lock.json': string };
}

/** Composes a lock, without the facts about its making. */
export function composeLock(parts: LockParts): ComposedLock {
  const { feature, platforms, fetched, npm, unshared } = parts;
  const { plan, packages } = addDigests(parts.resolved, fetched);
  const { manifest, lock } = composeProject(plan, packages, feature);
  const whole = { ...packages, '': lock.packages[''] ?? {} };
  const project = {
    'package.json': toJsonFile(manifest),
    'package-lock.json': toJsonFile({ ...lock, packages: removeAddresses(whole, npm) }),
  };
  const sidecar: Sidecar = {
    format: FORMAT,
    feature: feature.name,
    specs: feature.packages,
    scripts: feature.scripts,
    platforms,
    shared: plan.shared,
    private: plan.private,
    unshared: [...unshared].sort(),
    ids: identifyAll(plan, platforms, feature.scripts),
    packages: recordPackages(parts),
    digests: {
      'package.json': digest(project['package.json']),
      'package-lock.json': digest(project['package-lock.json']),
    },
  };
  return { sidecar, project };
}

/** The text of a JSON file in a lock. */
export const toJsonFile = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Adds the sha512 of each tarball for which the registry lists none. */
function addDigests({ plan, packages }: ResolvedPlan, { tarballs }: FetchedPackages): ResolvedPlan {
  const add = <T extends object>([path, one]: readonly [string, T]): [string, T] => {
    const { integrity } = one as { integrity?: string };
    const computed = tarballs[path]?.integrity;
    const isListed = readDigests(integrity)?.algorithm === 'sha512';
    return [path, computed === undefined || isListed ? one : { ...one, integrity: computed }];
  };
  const nodes = new Map([...plan.nodes].map(add));
  return {
    plan: { ...plan, nodes },
    packages: Object.fromEntries(Object.entries(packages).map(add)),
  };
}

/** Leaves out addresses on the registry of each package: each installer configures its registry. */
function removeAddresses(packages: LockedPackages, npm: NpmSettings): LockedPackages {
  const entries = Object.entries(packages).map(([path, locked]) => {
    const { resolved, ...rest } = locked as { resolved?: string; name?: string };
    const name = rest.name ?? installedName(path);
    const isUsual = resolved !== undefined && npm.isOnRegistry(resolved, name);
    return [path, isUsual ? rest : locked] as const;
  });
  return sortKeys(Object.fromEntries(entries));
}

function recordPackages({ nodes, fetched, npm, places }: LockParts): Sidecar['packages'] {
  const records: Record<string, PackageRecord> = {};
  for (const node of nodes) {
    const { path, name } = node;
    const [listing, tarball] = [fetched.listings[path], fetched.tarballs[path]];
    if (listing === undefined || tarball === undefined) continue;
    const address = node.resolved ?? tarball.address;
    const found =
      address === undefined ? places[path]?.place : placeOf(address, npm.registryFor(name));
    const place = found !== undefined && isPlaceNeeded(node, found, npm) ? found : undefined;
    records[path] = {
      size: tarball.size,
      listing: digest(listing),
      listed: Buffer.byteLength(listing),
      ...(place !== undefined && { place }),
    };
  }
  return sortKeys(records);
}

/** Whether an installer needs to know a place: it could not guess it, or must not guess the registry. */
function isPlaceNeeded({ name, version }: LockNode, place: string, npm: NpmSettings): boolean {
  const registry = npm.registryFor(name);
  if (registry === PUBLIC_REGISTRY) return false;
  const usual = addressOf(conventionalUrl(registry, name, version), registry);
  const isGuessed = addressOf(place, registry) === usual;
  return !isGuessed || registry !== npm.registryFor('');
}
