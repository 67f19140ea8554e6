/** Reads the listing of an entry as documented, with code independent of src/. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A listing, read. */
export interface ReadListing {
  /** Path of a package to its part of the text. */
  packages: Record<string, string>;
  /** Path in the entry to value. */
  files: Record<string, string>;
  /** The same for files that scripts made. */
  generated: Record<string, string>;
}

/** Reads `annex-files.txt`; throws when it is not of the known format. */
export function readListing(entry: string): ReadListing {
  const [head, ...lines] = readFileSync(join(entry, 'annex-files.txt'), 'utf8').split('\n');
  if (head !== 'annex-files 2' || lines.pop() !== '') throw new Error('not a listing');
  const read: ReadListing = { packages: {}, files: {}, generated: {} };
  let section = '';
  for (const line of lines) {
    const [value = '', path] = line.split('\t');
    if (path === undefined) section = line;
    if (section === 'generated') {
      if (path !== undefined) read.generated[path] = value;
      continue;
    }
    read.packages[section] =
      `${read.packages[section] ?? ''}${path === undefined ? '' : `${line}\n`}`;
    if (path !== undefined) read.files[join(section, path)] = value;
  }
  return read;
}
