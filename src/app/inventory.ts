/** Lists what the core ships: its production closure, as far as its root sees it. */
import { lstatSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readPackage } from '../base/package-json.ts';
import { listAncestors } from '../base/paths.ts';
import { satisfies } from '../base/semver.ts';
import { isInstallable } from '../plan/graph.ts';
import type { Inventory } from '../plan/plan.ts';
import type { Feature } from '../settings/feature.ts';
import type { Core } from '../settings/settings.ts';
import { findCorePackage } from './core.ts';

type Json = Record<string, unknown>;

/**
 * Walks from the dependencies of the core. devDependencies are not in the image, although they are on the
 * machine that locks. It uses nothing but Node's rule of `node_modules` and real paths, so it serves npm,
 * pnpm, Yarn (node-modules) and workspaces alike. It never reads a store.
 *
 * @param root real path of the core
 */
export function readInventory(root: string): Inventory {
  const findFrom = createPackageFinder();
  const shipped = new Map<string, Json>();
  const names = new Set<string>();
  const visit = (dir: string, manifest: Json): void => {
    const optional = asRecord(manifest.optionalDependencies);
    for (const name of listDependencies(manifest)) {
      const found = findFrom(name, dir);
      const below = found === undefined ? undefined : (shipped.get(found) ?? readPackage(found));
      if (found === undefined || below === undefined) continue;
      // A package for this platform is not part of the core on other platforms.
      if (Object.hasOwn(optional, name) && (below.os ?? below.cpu ?? below.libc)) continue;
      names.add(name);
      if (shipped.has(found)) continue;
      shipped.set(found, below);
      visit(found, below);
    }
  };
  const core = readPackage(root) ?? {};
  visit(root, core);
  const declared = new Set(listDependencies(core));
  const development = asRecord(core.devDependencies);
  const places = listAncestors(root);
  const inventory: Inventory = new Map();
  for (const name of [...names].sort()) {
    const dir = findFrom(name, root);
    const manifest = dir === undefined ? undefined : shipped.get(dir);
    if (dir === undefined || manifest === undefined) continue;
    // pnpm: the link in the root exists for development only.
    const isLink = !places.some((up) => join(up, 'node_modules', name) === dir);
    if (isLink && Object.hasOwn(development, name) && !declared.has(name)) continue;
    const { version, name: declaredName, peerDependencies } = manifest;
    const isShareable =
      declaredName === name && typeof version === 'string' && satisfies(version, version);
    inventory.set(name, {
      version: isShareable ? version : '',
      isDeclared: declared.has(name),
      peers: Object.keys(asRecord(peerDependencies)),
    });
  }
  return inventory;
}

const known = new WeakMap<Core, Inventory>();

/**
 * Whether a package that the core root sees is part of what the core ships. If not, it is there for
 * development: a devDependency, a dependency of one, or extraneous. The closure is walked once in a process,
 * and not for direct dependencies.
 */
export function isShipped(core: Core, name: string): boolean {
  const manifest = readPackage(core.realRoot);
  if (manifest !== undefined && listDependencies(manifest).includes(name)) return true;
  const inventory = known.get(core) ?? readInventory(core.realRoot);
  known.set(core, inventory);
  return inventory.has(name);
}

/** Versions of declared packages that the core has and does not ship. */
export function listUnshipped(
  core: Core,
  { packages }: Feature,
): { name: string; version: string }[] {
  return Object.keys(packages).flatMap((name) => {
    const version = findCorePackage(name, core.root)?.version;
    return version === undefined || isShipped(core, name) ? [] : { name, version };
  });
}

/** Optional peers do not count: one that is present is there for another package, or for development. */
function listDependencies(manifest: Json): string[] {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest;
  const meta = asRecord(peerDependenciesMeta);
  const peers = Object.keys(asRecord(peerDependencies)).filter(
    (name) => asRecord(meta[name]).optional !== true,
  );
  const others = [dependencies, optionalDependencies].map(asRecord).flatMap(Object.keys);
  return [...new Set([...others, ...peers])].filter(isInstallable);
}

/** The real path of a package as seen from a directory; undefined when it is absent. */
type FindPackage = (name: string, dir: string) => string | undefined;

/** Caches each path: the packages of a core depend on the same packages over and over. */
function createPackageFinder(): FindPackage {
  const places = new Map<string, string | undefined>();
  const resolvePath = (path: string): string | undefined => {
    if (!places.has(path)) places.set(path, findRealPath(path));
    return places.get(path);
  };
  return (name, dir) => {
    for (const up of listAncestors(dir)) {
      const modules = join(up, 'node_modules');
      if (basename(up) === 'node_modules' || resolvePath(modules) === undefined) continue;
      const found = resolvePath(join(modules, name));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function findRealPath(path: string): string | undefined {
  try {
    const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
    return isThere ? realpathSync.native(path) : undefined;
  } catch {
    // A dangling link is not shipped either.
    return undefined;
  }
}

const asRecord = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
