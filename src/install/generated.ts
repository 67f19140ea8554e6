/** Finds what install scripts made, changed and removed. */
import { lstatSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { digest } from '../base/digest.ts';
import { readRegular } from '../base/files.ts';
import { isWithin } from '../base/store-layout.ts';
import { eachLine, type Listings, toValue } from '../store/listing.ts';

/** Path in the entry to its value in a listing; the value of a removed file is empty. */
export type Generated = Record<string, string>;

/**
 * Compares `node_modules` of a directory with the listings of its packages. Removes links that lead
 * out of the directory: a build leaves links to the tools that it used.
 */
export function findGenerated(dir: string, listings: Listings): Generated {
  const { files, others } = listTree(dir);
  const generated: Generated = {};
  for (const path of others) {
    const target = readInnerLink(dir, path);
    if (target === undefined) rmSync(join(dir, path), { force: true });
    else generated[path] = `-> ${target}`;
  }
  for (const [owner, listing] of Object.entries(listings)) {
    eachLine(listing, (name, before) => {
      const path = `${owner}/${name}`;
      const now = files.get(path);
      files.delete(path);
      if (now !== before) generated[path] ??= now ?? '';
    });
  }
  return { ...generated, ...Object.fromEntries(files) };
}

interface Tree {
  /** Path of each file, below the directory, to its value in a listing. */
  files: Map<string, string>;
  /** Paths of links and special files. */
  others: string[];
}

function listTree(dir: string): Tree {
  const tree: Tree = { files: new Map(), others: [] };
  const visit = (path: string): void => {
    for (const name of readdirSync(join(dir, path)).sort()) {
      const below = `${path}/${name}`;
      const stat = lstatSync(join(dir, below));
      if (stat.isDirectory()) visit(below);
      else if (stat.isFile()) {
        const bytes = readRegular(join(dir, below), stat.size);
        tree.files.set(below, toValue(digest(bytes), bytes.length));
      } else tree.others.push(below);
    }
  };
  visit('node_modules');
  return tree;
}

/** The target of a relative link within `node_modules`; undefined for anything else. */
function readInnerLink(dir: string, path: string): string | undefined {
  try {
    const link = join(dir, path);
    const target = readlinkSync(link);
    // An absolute target names the staging directory, not the entry.
    const isInner = isWithin(realpathSync(link), join(dir, 'node_modules')) && !isAbsolute(target);
    return isInner ? target : undefined;
  } catch {
    // A dangling link, or a special file.
    return undefined;
  }
}
