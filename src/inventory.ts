/** What core ships: its production closure, walked in its own tree, as far as its root sees it. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { listAncestors, readPackage } from './core.ts';
import type { Inventory } from './plan/plan.ts';

type Json = Record<string, unknown>;

/**
 * Walks from the core's own dependencies; devDependencies are not in the image, though they are on
 * the laptop that locks. Of npm, pnpm, Yarn (node-modules) and workspaces alike: only Node's rule of
 * `node_modules` is used, and real paths. The store is never looked at.
 *
 * @param root real path of the core
 */
export function readInventory(root: string): Inventory {
  const shipped = new Map<string, Json>();
  const names = new Set<string>();
  const visit = (dir: string, manifest: Json): void => {
    for (const name of listDependencies(manifest)) {
      names.add(name);
      const found = findFrom(name, dir);
      if (found === undefined || shipped.has(found)) continue;
      const below = readPackage(found);
      if (below === undefined) continue;
      shipped.set(found, below);
      visit(found, below);
    }
  };
  const core = readPackage(root) ?? {};
  visit(root, core);
  const declared = new Set(listDependencies(core));
  const inventory: Inventory = new Map();
  for (const name of [...names].sort()) {
    const dir = findFrom(name, root);
    const manifest = dir === undefined ? undefined : shipped.get(dir);
    if (manifest === undefined) continue;
    const { version, name: own, peerDependencies } = manifest;
    const isAlias = own !== name || typeof version !== 'string';
    inventory.set(name, {
      version: isAlias ? '' : version,
      isDeclared: declared.has(name),
      peers: Object.keys(asRecord(peerDependencies)),
    });
  }
  return inventory;
}

function listDependencies(manifest: Json): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const lists = [dependencies, optionalDependencies, peerDependencies].map(asRecord);
  return [...new Set(lists.flatMap(Object.keys))];
}

/** Real path of a package as seen from a directory; undefined when it is not there. */
function findFrom(name: string, dir: string): string | undefined {
  for (const up of listAncestors(dir)) {
    try {
      return realpathSync.native(join(up, 'node_modules', name));
    } catch {
      // Not here; a link that leads nowhere is not shipped either.
    }
  }
  return undefined;
}

const asRecord = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
