/** Which packages of a closure an entry takes from core, which it holds itself, and what does not fit. */
import type { Conflict, SharedPackage } from '../types.ts';
import { type Edge, findAbove, type LockGraph, type LockNode } from './graph.ts';

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
  isInRange: (version: string, range: string) => boolean;
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
  const seen = new Set<string>();
  const visit = (edge: Edge, isBound: boolean): void => {
    const key = `${edge.from} ${edge.name}`;
    if (!seen.has(key)) walk.edges.push(edge);
    seen.add(key);
    const node = edge.to === undefined ? undefined : graph.get(edge.to);
    if (isBound || node?.isBundled === true) walk.bound.add(edge.name);
    const isTaken = inventory.has(edge.name) && !own.has(edge.name);
    // A package that is merely welcome does not come because of that.
    if (node === undefined || isTaken || edge.kind === 'optional peer') return;
    const below = isBound || scripts.includes(node.name);
    const state = `${node.path} ${below}`;
    if (seen.has(state)) return;
    seen.add(state);
    walk.nodes.set(node.path, node);
    for (const next of node.edges) visit(next, below);
  };
  for (const [name, range] of Object.entries(packages)) {
    const to = findAbove(graph, '', name);
    visit({ from: '', name, range, kind: 'declared', ...(to !== undefined && { to }) }, false);
  }
  return walk;
}

/** Names that are taken from core in this walk and may not be. */
function findPrivate(
  { edges, bound, nodes }: Walk,
  { inventory }: PlanInput,
  own: Set<string>,
  ranges: Ranges,
): string[] {
  const held = new Set([...nodes.values()].map(({ path }) => installedName(path)));
  const more = new Set<string>();
  for (const { name, range } of edges) {
    const shipped = inventory.get(name);
    if (shipped === undefined || own.has(name)) continue;
    const isSplit = shipped.peers.some((peer) => own.has(peer) && held.has(peer));
    if (bound.has(name) || isSplit || !ranges.isInRange(shipped.version, range)) more.add(name);
  }
  return [...more];
}

function finish(walk: Walk, input: PlanInput, own: Set<string>, ranges: Ranges): Plan {
  const shared: Plan['shared'] = {};
  const conflicts: Conflict[] = [];
  for (const edge of walk.edges) {
    const shipped = input.inventory.get(edge.name);
    if (shipped !== undefined && !own.has(edge.name)) {
      const { version } = shipped;
      const entry = shared[edge.name] ?? { ranges: [], version };
      shared[edge.name] = entry;
      if (!entry.ranges.includes(edge.range)) entry.ranges.push(edge.range);
      continue;
    }
    const of =
      shipped !== undefined && isConflict(edge, shipped, input, ranges)
        ? ({ of: 'core', ...(shipped.version !== '' && { version: shipped.version }) } as const)
        : findMisfit(edge, walk, ranges);
    if (of !== undefined) {
      const dependent = describe(input.graph.get(edge.from));
      const { name: dependency, range, kind } = edge;
      conflicts.push({ dependent, dependency, range, kind, ...of });
    }
  }
  for (const { ranges: asked } of Object.values(shared)) asked.sort();
  const names = [...walk.nodes.keys()].map(installedName);
  return {
    nodes: new Map([...walk.nodes].sort(([a], [b]) => (a < b ? -1 : 1))),
    edges: walk.edges.filter(({ to }) => to !== undefined && walk.nodes.has(to)),
    shared: Object.fromEntries(Object.entries(shared).sort(([a], [b]) => (a < b ? -1 : 1))),
    private: [...new Set(names)].sort(),
    conflicts,
  };
}

/** Whether a private copy is not the answer to what core ships. */
function isConflict(
  { from, name, range, kind }: Edge,
  shipped: Shipped,
  { graph, packages, conflicts, share, unshared }: PlanInput,
  ranges: Ranges,
): boolean {
  const isFine = ranges.isInRange(shipped.version, range);
  if (kind === 'declared') return !isFine;
  // What the application itself hands objects to has to see the application's own copy.
  const isMet = Object.hasOwn(packages, graph.get(from)?.name ?? '');
  if (kind === 'peer' && isMet && !(share && isFine)) return true;
  if (isFine || conflicts === 'nest' || !share || unshared.includes(name)) return false;
  return shipped.isDeclared || kind === 'peer' || kind === 'optional peer';
}

/** What is wrong inside the closure itself: nothing answers, or a version that was not asked for. */
function findMisfit(
  { to, range, kind }: Edge,
  { nodes }: Walk,
  { isRange, isInRange }: Ranges,
): Pick<Conflict, 'of' | 'version'> | undefined {
  const node = to === undefined ? undefined : nodes.get(to);
  if (node === undefined) {
    return kind === 'optional' || kind === 'optional peer' ? undefined : { of: 'closure' };
  }
  const alias = /^npm:((?:@[^/@]+\/)?[^/@]+)(?:@(.*))?$/.exec(range);
  const [, name = node.name, wanted = alias === null ? range : '*'] = alias ?? [];
  // A tag or an address says nothing about versions: the lock's word has to do.
  const isFine = name === node.name && (!isRange(wanted) || isInRange(node.version, wanted));
  return isFine ? undefined : { of: 'closure', version: node.version };
}

const describe = (node: LockNode | undefined): string =>
  node === undefined ? 'the feature' : `${node.name} ${node.version}`;

/** The name by which a package is imported that stands under a path of a lock. */
export const installedName = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 13);
