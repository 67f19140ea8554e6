/** Reads what stands on disk: every file of a tree, its digest and size. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../base/digest.ts';
import { readRegular } from '../base/files.ts';
import { toValue } from '../store/listing.ts';

/** A tree that was looked through. */
interface Inspected {
  /** Path of each file, below the directory, to its value in a listing. */
  files: Map<string, string>;
  /** Paths of what is neither a file nor a directory. */
  oddities: string[];
}

/** Looks through the `node_modules` of a directory. */
export function inspectTree(dir: string): Inspected {
  const inspected: Inspected = { files: new Map(), oddities: [] };
  const visit = (path: string): void => {
    for (const name of readdirSync(join(dir, path)).sort()) {
      const below = `${path}/${name}`;
      const stat = lstatSync(join(dir, below));
      if (stat.isDirectory()) visit(below);
      else if (stat.isFile()) {
        const bytes = readRegular(join(dir, below), stat.size);
        inspected.files.set(below, toValue(digest(bytes), bytes.length));
      } else inspected.oddities.push(below);
    }
  };
  visit('node_modules');
  return inspected;
}
