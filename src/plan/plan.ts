/** Which packages of a closure an entry takes from core, which it holds itself, and what does not fit. */
import type { Conflict } from '../types.ts';
import { type Edge, findAbove, type LockGraph, type LockNode } from './graph.ts';

/** A dependency that an entry takes from core. */
export interface SharedPackage {
  /** Every range that the closure asks of it. */
  ranges: string[];
  /** Core's version when the entry was installed. */
  version: string;
}

/** A package that core ships and that its root sees. */
export interface Shipped {
  /** Empty for an alias, and for what is no version: it is shared with nobody. */
  version: string;
  /** The core's own package.json asks for it. */
  isDeclared: boolean;
  /** Names of its peer dependencies. */
  peers: string[];
}

/** What core ships, by name. */
export type Inventory = Map<string, Shipped>;

/** What the plan has to know of semver. */
export interface Ranges {
  isRange: (range: string) => boolean;
  satisfies: (version: string, range: string) => boolean;
}

/** What is to be planned. */
export interface PlanInput {
  graph: LockGraph;
  /** Declared packages: name to range. */
  packages: Record<string, string>;
  inventory: Inventory;
  /** What happens to a dependency that core ships at a version that does not fit. */
  conflicts: 'fail' | 'nest';
  /** Whether anything may be taken from core. */
  share: boolean;
  /** Packages whose install scripts run: what they need has to stand beside them. */
  scripts: string[];
  /** Names that must not be shared: bare targets of a package's `imports`. */
  unshared: string[];
}

/** A planned closure, for every platform. */
export interface Plan {
  /** What the entry holds, by path. */
  nodes: Map<string, LockNode>;
  /** Who asks for what among those. */
  edges: Edge[];
  shared: Record<string, SharedPackage>;
  /** Names of what the entry holds, sorted. */
  private: string[];
  conflicts: Conflict[];
}

interface Walk {
  nodes: Map<string, LockNode>;
  edges: Edge[];
  /** Names that something below a package with scripts asks for, or that come bundled. */
  bound: Set<string>;
}

/**
 * Plans a closure. A name is shared when core's one version satisfies everybody in the closure who
 * asks for it; else it is private in every version needed. Starting from everything shared, names
 * are made private until nothing changes: what a private package asks for counts from then on.
 *
 * @example plan({ graph, packages: { 'exa-js': '^1.9.0' }, inventory, ... }).shared.zod.version
 */
export function plan(input: PlanInput, ranges: Ranges): Plan {
  const { inventory, share } = input;
  const own = new Set(share ? input.unshared : inventory.keys());
  for (;;) {
    const walk = walkClosure(input, own);
    const more = findPrivate(walk, input, own, ranges);
    if (more.length === 0) return finish(walk, input, own, ranges);
    for (const name of more) own.add(name);
  }
}

/** From the feature through everything that is not taken from core. */
function walkClosure({ graph, packages, inventory, scripts }: PlanInput, own: Set<string>): Walk {
  const walk: Walk = { nodes: new Map(), edges: [], bound: new Set() };
  const asked = new Set<Edge>();
  const seen = new Set<string>();
  const queue = Object.entries(packages).map(([name, range]) => {
    const to = findAbove(graph, '', name);
    const edge: Edge = { from: '', name, range, kind: 'declared', ...(to !== undefined && { to }) };
    return { edge, isBound: false };
  });
  for (const { edge, isBound } of queue) {
    asked.add(edge);
    // A package that is merely welcome does not come because of that.
    if (edge.kind === 'optional peer') continue;
    const node = edge.to === undefined ? undefined : graph.get(edge.to);
    if (isBound || node?.isBundled === true) walk.bound.add(edge.name);
    const isTaken = inventory.has(edge.name) && !own.has(edge.name);
    if (node === undefined || isTaken) continue;
    const below = isBound || scripts.includes(node.name);
    const state = `${node.path} ${below}`;
    if (seen.has(state)) continue;
    seen.add(state);
    walk.nodes.set(node.path, node);
    for (const next of node.edges) queue.push({ edge: next, isBound: below });
  }
  walk.edges.push(...sortEdges(asked).map((edge) => settle(edge, walk.nodes)));
  return walk;
}

/** An edge as it is in the entry: what only the lock has is not there. */
function settle({ to: _, ...edge }: Edge, nodes: LockGraph): Edge {
  const to = findAbove(nodes, edge.from, edge.name);
  return to === undefined ? edge : { ...edge, to };
}

/** Names that are taken from core in this walk and may not be. */
function findPrivate(
  { edges, bound, nodes }: Walk,
  { inventory }: PlanInput,
  own: Set<string>,
  ranges: Ranges,
): string[] {
  const held = new Set([...nodes.values()].map(({ path }) => installedName(path)));
  // Peers of peers too: core's copy of the one between does not see what the entry holds.
  const isSplit = (name: string, passed = new Set<string>()): boolean =>
    inventory.get(name)?.peers.some((peer) => {
      if (inventory.has(peer) && held.has(peer)) return true;
      return !passed.has(peer) && isSplit(peer, passed.add(peer));
    }) ?? false;
  const more = new Set<string>();
  for (const { name, range } of edges) {
    const shipped = inventory.get(name);
    if (shipped === undefined || own.has(name)) continue;
    const isFit = ranges.satisfies(shipped.version, range);
    if (!isFit || bound.has(name) || isSplit(name)) more.add(name);
  }
  return [...more];
}

/** The order of a file must not show in what is said of it. */
const sortEdges = (edges: Iterable<Edge>): Edge[] =>
  [...edges]
    .map((edge) => [`${edge.from} ${edge.name}`, edge] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, edge]) => edge);

function finish(walk: Walk, input: PlanInput, own: Set<string>, ranges: Ranges): Plan {
  const shared = new Map<string, SharedPackage>();
  const conflicts = new Map<string, Conflict>();
  for (const edge of walk.edges) {
    const { name, range, kind } = edge;
    const shipped = input.inventory.get(name);
    if (shipped !== undefined && !own.has(name)) {
      const { ranges: asked } = shared.get(name) ?? { ranges: [] };
      const all = [...new Set([...asked, range])].sort();
      shared.set(name, { ranges: all, version: shipped.version });
      continue;
    }
    const found =
      (shipped && findClash(edge, shipped, input, walk, ranges)) ?? findMisfit(edge, walk, ranges);
    if (found === undefined) continue;
    const dependent = describe(input.graph.get(edge.from));
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

type Found = Pick<Conflict, 'of' | 'version' | 'isFit' | 'isNestable'>;

/** What core ships, where a private copy beside it is not the answer. */
function findClash(
  { from, name, range, kind }: Edge,
  { version, isDeclared }: Shipped,
  { packages, conflicts, share, unshared }: PlanInput,
  { bound }: Walk,
  { satisfies }: Ranges,
): Found | undefined {
  const isFit = satisfies(version, range);
  const found: Found = {
    of: 'core',
    ...(version !== '' && { version }),
    ...(isFit && { isFit }),
  };
  if (kind === 'declared') return isFit ? undefined : found;
  // What the application itself hands objects to has to see the application's own copy.
  const isMet = Object.hasOwn(packages, from.slice('node_modules/'.length));
  if (kind === 'peer' && isMet) return found;
  // What is private whatever core ships has nothing to agree with.
  const isApart = !share || bound.has(name) || unshared.includes(name);
  if (isFit || isApart || conflicts === 'nest') return undefined;
  const isPeer = kind === 'peer' || kind === 'optional peer';
  return isDeclared || isPeer ? { ...found, isNestable: true } : undefined;
}

/** What is wrong inside the closure itself: nothing answers, or a version that was not asked for. */
function findMisfit(
  { name: asked, to, range, kind }: Edge,
  { nodes }: Walk,
  { isRange, satisfies }: Ranges,
): Found | undefined {
  const node = to === undefined ? undefined : nodes.get(to);
  if (node === undefined) {
    return kind === 'optional' || kind === 'optional peer' ? undefined : { of: 'closure' };
  }
  const alias = /^npm:((?:@[^/@]+\/)?[^/@]+)(?:@(.*))?$/.exec(range);
  const [, name = asked, wanted = alias === null ? range : '*'] = alias ?? [];
  // A tag or an address says nothing about names and versions: the lock's word has to do.
  const isFine =
    (alias === null && !isRange(wanted)) ||
    (name === node.name && (!isRange(wanted) || satisfies(node.version, wanted)));
  return isFine ? undefined : { of: 'closure', version: node.version };
}

const describe = (node: LockNode | undefined): string =>
  node === undefined ? 'the feature' : `${node.name} ${node.version}`;

/** The name by which a package is imported that stands under a path of a lock. */
export const installedName = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 13);
