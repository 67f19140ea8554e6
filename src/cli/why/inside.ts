/** Finds a package inside the entries of features, for `annex why`: the way to it, and what core's copy has to do with it. */
import { findCorePackage } from '../../app/core.ts';
import { isShipped, readInventory } from '../../app/inventory.ts';
import { createLookup, findDeclarationRefusal, type Lookup } from '../../app/lookup.ts';
import { readAbi } from '../../base/abi.ts';
import { AnnexError } from '../../base/error.ts';
import { satisfies } from '../../base/semver.ts';
import { readInstalled } from '../../lock/report.ts';
import { findDependency, installedName, type LockGraph, readGraph } from '../../plan/graph.ts';
import type { SharedPackage } from '../../plan/plan.ts';
import { explainPrivate } from '../../plan/private.ts';
import type { LockedPackages } from '../../plan/project.ts';
import type { Settings } from '../../settings/settings.ts';
import { findEntry } from '../../store/entry.ts';
import type { Look } from '../../store/look.ts';

/** A package in the closure of a feature, as `--json` prints it. */
export interface InsidePackage {
  feature: string;
  name: string;
  /** Version of the copy in the entry; of core's copy when it is shared. */
  version: string;
  /** The packages that lead to it, from a declared one: `whatwg-url 5.0.0`. Empty for a declared package. */
  through: string[];
  /** Whether the entry takes it from core. */
  isShared: boolean;
  /** One clause on core's copy. */
  because: string;
}

/** The packages of one feature, from its lock or else its entry. */
interface Closure {
  graph: LockGraph;
  shared: Record<string, SharedPackage>;
  scripts: string[];
  unshared: string[];
}

/** Finds the copies of a package in the closures of all features that are locked or installed. */
export function findInside(name: string, settings: Settings, look: Look): InsidePackage[] {
  return [...settings.declaration.features.values()].flatMap((feature) => {
    // A declared package is what its own feature is for.
    if (Object.hasOwn(feature.packages, name)) return [];
    const lookup = createLookup(settings, feature);
    const closure = readClosure(name, lookup, look);
    return closure === undefined ? [] : findIn(name, lookup, closure);
  });
}

/** Undefined for a feature without the package, for one that is neither locked nor installed, and for an invalid lock. */
function readClosure(name: string, lookup: Lookup, look: Look): Closure | undefined {
  if (findDeclarationRefusal(lookup) !== undefined) return undefined;
  const { pin } = lookup.readLock();
  try {
    if (pin !== undefined) {
      const { packages, shared, scripts, unshared } = pin.sidecar;
      if (!hasPackage(name, Object.keys(packages), shared)) return undefined;
      return { graph: toGraph(JSON.parse(pin.readPackageLock())), shared, scripts, unshared };
    }
    const { entry } = findEntry(lookup, readAbi(), { look });
    if (entry === undefined) return undefined;
    const { closure, shared, scripts } = entry.manifest;
    const paths = closure.map(({ path }) => path);
    if (!hasPackage(name, paths, shared)) return undefined;
    const packages = readInstalled(entry);
    return { graph: toGraph({ lockfileVersion: 3, packages }), shared, scripts, unshared: [] };
  } catch (error) {
    if (error instanceof AnnexError) return undefined;
    throw error;
  }
}

const hasPackage = (
  name: string,
  paths: string[],
  shared: Record<string, SharedPackage>,
): boolean => Object.hasOwn(shared, name) || paths.some((path) => installedName(path) === name);

const toGraph = (lock: { lockfileVersion: number; packages: LockedPackages }): LockGraph =>
  readGraph(lock, (reason) => ({ code: 'ANNEX_INVALID_CONFIG', reason, hint: '' }));

function findIn(name: string, lookup: Lookup, closure: Closure): InsidePackage[] {
  const { core } = lookup.settings;
  const { feature } = lookup;
  const { graph, shared } = closure;
  const ways = findWays(graph, Object.keys(feature.packages), shared);
  const toText = (path: string): string => {
    const node = graph.get(path);
    return node === undefined ? installedName(path) : `${installedName(path)} ${node.version}`;
  };
  const found = [...ways].filter(([path]) => installedName(path) === name);
  return found.map(([path, through]) => {
    const isShared = Object.hasOwn(shared, name);
    const version = graph.get(path)?.version ?? '';
    const copy = findCorePackage(name, core.root)?.version;
    return {
      feature: feature.name,
      name,
      version: isShared ? (copy ?? shared[name]?.version ?? version) : version,
      through: through.map(toText),
      isShared,
      because: isShared
        ? `it satisfies ${shared[name]?.ranges.join(' and ')}`
        : describePrivate(name, lookup, closure, new Set(ways.keys())),
    };
  });
}

/** The shortest way to each package of an entry, and to each shared one, which stands for all that it depends on. */
function findWays(
  graph: LockGraph,
  declared: string[],
  shared: Record<string, SharedPackage>,
): Map<string, string[]> {
  const ways = new Map<string, string[]>();
  const reach = (path: string | undefined, through: string[]): void => {
    if (path !== undefined && !ways.has(path)) ways.set(path, through);
  };
  const isPlaced = (name: string): boolean => Object.hasOwn(shared, name);
  const place = (from: string, name: string): string | undefined =>
    isPlaced(name) ? `node_modules/${name}` : findDependency(graph, from, name);
  for (const name of declared) reach(place('', name), []);
  for (const [path, through] of ways) {
    if (isPlaced(installedName(path))) continue;
    for (const { name, kind } of graph.get(path)?.edges ?? []) {
      if (kind !== 'optional peer' || isPlaced(name)) reach(place(path, name), [...through, path]);
    }
  }
  return ways;
}

function describePrivate(
  name: string,
  { settings: { core }, feature }: Lookup,
  { graph, scripts, unshared }: Closure,
  paths: ReadonlySet<string>,
): string {
  const copy = findCorePackage(name, core.root);
  if (copy === undefined) return 'core has none';
  if (!isShipped(core, name)) return `core does not ship its copy, ${copy.version ?? 'unreadable'}`;
  const nodes = new Map([...graph].filter(([path]) => paths.has(path)));
  const { packages, share } = feature;
  const inventory = readInventory(core.realRoot);
  const facts = { nodes, packages, inventory, share, scripts, unshared };
  const changed = `core's ${copy.version ?? 'copy'} came later: npx annex lock ${feature.name}`;
  return explainPrivate(name, facts, { satisfies }) ?? changed;
}
