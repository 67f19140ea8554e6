/** Reads what stands on disk: every file of a tree, its digest, and the package that it belongs to. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../sidecar.ts';
import type { Listings } from '../types.ts';

/** A tree that was looked through. */
interface Inspected {
  listings: Listings;
  /** Paths of what is neither a file nor a directory. */
  oddities: string[];
}

/**
 * Looks through the `node_modules` of a directory.
 *
 * @param packages paths of the packages; a file belongs to the innermost that it lies in
 */
export function inspectTree(dir: string, packages: string[]): Inspected {
  const known = new Set(packages);
  const found = new Map<string, string[]>();
  const inspected: Inspected = { listings: {}, oddities: [] };
  const visit = (path: string, owner: string): void => {
    for (const name of readdirSync(join(dir, path)).sort()) {
      const below = `${path}/${name}`;
      const stat = lstatSync(join(dir, below));
      if (stat.isDirectory()) visit(below, known.has(below) ? below : owner);
      else if (stat.isFile()) {
        const lines = found.get(owner) ?? [];
        found.set(owner, lines);
        lines.push(
          `${digest(readFileSync(join(dir, below)))}  ${owner === '' ? below : below.slice(owner.length + 1)}`,
        );
      } else inspected.oddities.push(below);
    }
  };
  visit('node_modules', '');
  for (const [owner, lines] of found) inspected.listings[owner] = sortListing(lines);
  return inspected;
}

/** Lines of `sha256  path`, in the order of the paths. */
const sortListing = (lines: string[]): string =>
  lines
    .sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
    .map((line) => `${line}\n`)
    .join('');
