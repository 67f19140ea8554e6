/** Explains why a closure has its own copy of a package that core ships. */
import type { LockGraph } from './graph.ts';
import { findDependency, installedName } from './graph.ts';
import type { Inventory, RangeRules } from './plan.ts';

/** A closure, and what decides about its packages. */
export interface PrivateFacts {
  /** The packages of the entry. */
  nodes: LockGraph;
  /** Declared packages: name to range. */
  packages: Record<string, string>;
  inventory: Inventory;
  share: boolean;
  scripts: string[];
  unshared: string[];
}

/**
 * One clause on why a package is private. The rules are those of `plan`.
 *
 * @returns undefined when nothing prevents sharing it
 * @example explainPrivate('zod', facts, rules) // 'kit 1.0.0 needs ^3.0.0, and core ships 4.1.0'
 */
export function explainPrivate(
  name: string,
  { nodes, packages, inventory, share, scripts, unshared }: PrivateFacts,
  { satisfies }: Pick<RangeRules, 'satisfies'>,
): string | undefined {
  const shipped = inventory.get(name);
  if (shipped === undefined) return 'core ships none';
  if (!share) return '"share" of the feature is false';
  if (unshared.includes(name)) return 'the "imports" of a package in the entry name it';
  const version = shipped.version || 'a copy whose name or version differs';
  const misfit = (dependent: string, range: string): string | undefined =>
    satisfies(shipped.version, range)
      ? undefined
      : `${dependent} needs ${range}, and core ships ${version}`;
  const declared = packages[name];
  const unfit = declared === undefined ? undefined : misfit('the feature', declared);
  if (unfit !== undefined) return unfit;
  for (const node of nodes.values()) {
    const { range } = node.edges.find((edge) => edge.name === name) ?? {};
    const reason = range === undefined ? undefined : misfit(`${node.name} ${node.version}`, range);
    if (reason !== undefined) return reason;
  }
  const copies = [...nodes.values()].filter(({ path }) => installedName(path) === name);
  if (copies.some(({ isBundled }) => isBundled)) return 'a package in the entry bundles it';
  const builder = findBuilder(name, nodes, scripts);
  if (builder !== undefined) return `the install scripts of ${builder} may need it in the entry`;
  const held = new Set([...nodes.keys()].map(installedName));
  const peer = findHeldPeer(name, inventory, held);
  return peer === undefined ? undefined : `core's copy needs the peer ${peer}, which is private`;
}

/** A package whose scripts run, and that depends on the package, however far away. */
function findBuilder(name: string, nodes: LockGraph, scripts: string[]): string | undefined {
  return scripts.find((script) => {
    const queue = [...nodes.values()].filter((node) => node.name === script);
    const seen = new Set(queue);
    for (const node of queue) {
      for (const edge of node.edges) {
        if (edge.name === name) return true;
        const next = nodes.get(findDependency(nodes, node.path, edge.name) ?? '');
        if (next === undefined || seen.has(next)) continue;
        seen.add(next);
        queue.push(next);
      }
    }
    return false;
  });
}

/** A peer that the entry holds, of core's copy or of its peers. */
function findHeldPeer(
  name: string,
  inventory: Inventory,
  held: ReadonlySet<string>,
): string | undefined {
  const names = new Set([name]);
  for (const each of names) {
    for (const peer of inventory.get(each)?.peers ?? []) {
      if (inventory.has(peer) && held.has(peer)) return peer;
      names.add(peer);
    }
  }
  return undefined;
}
