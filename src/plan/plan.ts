/** Plans which packages an entry shares with core, which it has privately, and which conflict. */
import type { Conflict } from '../types.ts';
import {
  type Edge,
  findDependency,
  installedName,
  type LockGraph,
  type LockNode,
} from './graph.ts';

/** A dependency that an entry shares with core. */
export interface SharedPackage {
  /** All ranges of the closure for it. */
  ranges: string[];
  /** Core's version when the entry was installed. */
  version: string;
}

/** A package that core ships and that resolves from its root. */
export interface Shipped {
  /** Empty for an alias and for an invalid version, which are never shared. */
  version: string;
  /** Core's package.json declares it. */
  isDeclared: boolean;
  /** Names of its peer dependencies. */
  peers: string[];
}

/** The packages that core ships, by name. */
export type Inventory = Map<string, Shipped>;

/** Semver, as far as a plan needs it. */
export interface RangeRules {
  isRange: (range: string) => boolean;
  satisfies: (version: string, range: string) => boolean;
}

/** A closure to plan. */
export interface PlanInput {
  graph: LockGraph;
  /** Declared packages: name to range. */
  packages: Record<string, string>;
  inventory: Inventory;
  /** How to treat a dependency that core ships at a version out of range. */
  conflicts: 'fail' | 'nest';
  /** Whether the closure may share packages with core. */
  share: boolean;
  /** Packages whose install scripts run: an entry must contain their dependencies. */
  scripts: string[];
  /** Names that must not be shared: bare targets of the `imports` of packages. */
  unshared: string[];
}

/** A planned closure, for every platform. */
export interface Plan {
  /** The packages of the entry, by path. */
  nodes: Map<string, LockNode>;
  /** The dependencies between those. */
  edges: Edge[];
  shared: Record<string, SharedPackage>;
  /** Names of the packages in the entry, sorted. */
  private: string[];
  conflicts: Conflict[];
}

interface Walk {
  nodes: Map<string, LockNode>;
  edges: Edge[];
  /** Names that the entry must contain: dependencies of a package with scripts, and bundled ones. */
  bound: Set<string>;
}

/**
 * Plans a closure. A name is shared when core's version satisfies every range of the closure for it;
 * otherwise each needed version is private. Starts with every name shared and makes names private until
 * nothing changes: a private package adds its own dependencies.
 *
 * @example plan({ graph, packages: { 'exa-js': '^1.9.0' }, inventory, ... }).shared.zod.version
 */
export function plan(input: PlanInput, ranges: RangeRules): Plan {
  const { inventory, share } = input;
  const privateNames = new Set(share ? input.unshared : inventory.keys());
  for (;;) {
    const walk = walkClosure(input, privateNames);
    const more = findPrivate(walk, input, privateNames, ranges);
    if (more.length === 0) return composePlan(walk, input, privateNames, ranges);
    for (const name of more) privateNames.add(name);
  }
}

/** Walks from the feature through every package that is not shared. */
function walkClosure(
  { graph, packages, inventory, scripts }: PlanInput,
  privateNames: Set<string>,
): Walk {
  const walk: Walk = { nodes: new Map(), edges: [], bound: new Set() };
  const edges = new Set<Edge>();
  const visited = new Set<string>();
  const queue = Object.entries(packages).map(([name, range]) => {
    const to = findDependency(graph, '', name);
    const edge: Edge = { from: '', name, range, kind: 'declared', ...(to !== undefined && { to }) };
    return { edge, isBound: false };
  });
  for (const { edge, isBound } of queue) {
    edges.add(edge);
    // An optional peer installs nothing.
    if (edge.kind === 'optional peer') continue;
    const node = edge.to === undefined ? undefined : graph.get(edge.to);
    if (isBound || node?.isBundled === true) walk.bound.add(edge.name);
    const isFromCore = inventory.has(edge.name) && !privateNames.has(edge.name);
    if (node === undefined || isFromCore) continue;
    const below = isBound || scripts.includes(node.name);
    const state = `${node.path} ${below}`;
    if (visited.has(state)) continue;
    visited.add(state);
    walk.nodes.set(node.path, node);
    for (const next of node.edges) queue.push({ edge: next, isBound: below });
  }
  walk.edges.push(...sortEdges(edges).map((edge) => settle(edge, walk.nodes)));
  return walk;
}

/** Resolves an edge in the entry, which does not contain every package of the lock. */
function settle({ to: _, ...edge }: Edge, nodes: LockGraph): Edge {
  const to = findDependency(nodes, edge.from, edge.name);
  return to === undefined ? edge : { ...edge, to };
}

/** Shared names of this walk that must become private. */
function findPrivate(
  { edges, bound, nodes }: Walk,
  { inventory }: PlanInput,
  privateNames: Set<string>,
  ranges: RangeRules,
): string[] {
  const held = new Set([...nodes.values()].map(({ path }) => installedName(path)));
  // Also peers of peers: core's copy of the peer in between cannot import from the entry.
  const isSplit = (name: string, passed = new Set<string>()): boolean =>
    inventory.get(name)?.peers.some((peer) => {
      if (inventory.has(peer) && held.has(peer)) return true;
      return !passed.has(peer) && isSplit(peer, passed.add(peer));
    }) ?? false;
  const more = new Set<string>();
  for (const { name, range } of edges) {
    const shipped = inventory.get(name);
    if (shipped === undefined || privateNames.has(name)) continue;
    const isFit = ranges.satisfies(shipped.version, range);
    if (!isFit || bound.has(name) || isSplit(name)) more.add(name);
  }
  return [...more];
}

/** Sorts edges, so that messages do not depend on the order in the file. */
const sortEdges = (edges: Iterable<Edge>): Edge[] =>
  [...edges]
    .map((edge) => [`${edge.from} ${edge.name}`, edge] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, edge]) => edge);

function composePlan(
  walk: Walk,
  input: PlanInput,
  privateNames: Set<string>,
  ranges: RangeRules,
): Plan {
  const shared = new Map<string, SharedPackage>();
  const conflicts = new Map<string, Conflict>();
  for (const edge of walk.edges) {
    const { name, range, kind } = edge;
    const shipped = input.inventory.get(name);
    if (shipped !== undefined && !privateNames.has(name)) {
      const { ranges: known } = shared.get(name) ?? { ranges: [] };
      const all = [...new Set([...known, range])].sort();
      shared.set(name, { ranges: all, version: shipped.version });
      continue;
    }
    const found =
      (shipped && findCoreConflict(edge, shipped, input, walk, ranges)) ??
      findClosureConflict(edge, walk, ranges);
    if (found === undefined) continue;
    const dependent = nameDependent(input.graph.get(edge.from));
    const conflict: Conflict = { dependent, dependency: name, range, kind, ...found };
    conflicts.set(JSON.stringify(conflict), conflict);
  }
  const names = [...walk.nodes.keys()].map(installedName);
  return {
    nodes: new Map([...walk.nodes].sort(([a], [b]) => (a < b ? -1 : 1))),
    edges: walk.edges.filter(({ to }) => to !== undefined),
    shared: Object.fromEntries([...shared].sort(([a], [b]) => (a < b ? -1 : 1))),
    private: [...new Set(names)].sort(),
    conflicts: [...conflicts.values()],
  };
}

type ConflictFacts = Pick<Conflict, 'of' | 'version' | 'isFit' | 'isNestable'>;

/** A conflict with core's version that a private copy does not solve. */
function findCoreConflict(
  { from, name, range, kind }: Edge,
  { version, isDeclared }: Shipped,
  { packages, conflicts, share, unshared }: PlanInput,
  { bound }: Walk,
  { satisfies }: RangeRules,
): ConflictFacts | undefined {
  const isFit = satisfies(version, range);
  const found: ConflictFacts = {
    of: 'core',
    ...(version !== '' && { version }),
    ...(isFit && { isFit }),
  };
  if (kind === 'declared') return isFit ? undefined : found;
  // A package that the application passes objects to needs the application's own copy.
  const isDirect = Object.hasOwn(packages, from.slice('node_modules/'.length));
  if (kind === 'peer' && isDirect) return found;
  // A package that is private in any case cannot conflict with core.
  const isAlwaysPrivate = !share || bound.has(name) || unshared.includes(name);
  if (isFit || isAlwaysPrivate || conflicts === 'nest') return undefined;
  const isPeer = kind === 'peer' || kind === 'optional peer';
  return isDeclared || isPeer ? { ...found, isNestable: true } : undefined;
}

/** A conflict inside the closure: a missing dependency, or a version out of range. */
function findClosureConflict(
  { name: dependency, to, range, kind }: Edge,
  { nodes }: Walk,
  { isRange, satisfies }: RangeRules,
): ConflictFacts | undefined {
  const node = to === undefined ? undefined : nodes.get(to);
  if (node === undefined) {
    return kind === 'optional' || kind === 'optional peer' ? undefined : { of: 'closure' };
  }
  const alias = /^npm:((?:@[^/@]+\/)?[^/@]+)(?:@(.*))?$/.exec(range);
  const [, name = dependency, wanted = alias === null ? range : '*'] = alias ?? [];
  // A tag or an address has no name and version to compare: the lock decides.
  const isMatch =
    (alias === null && !isRange(wanted)) ||
    (name === node.name && (!isRange(wanted) || satisfies(node.version, wanted)));
  return isMatch ? undefined : { of: 'closure', version: node.version };
}

const nameDependent = (node: LockNode | undefined): string =>
  node === undefined ? 'the feature' : `${node.name} ${node.version}`;
