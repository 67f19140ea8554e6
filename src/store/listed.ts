/** Searches the listing of an entry without parsing it: the lines of each package are sorted by path. */
import { remember } from '../base/remember.ts';
import { type Files, readLine } from './listing.ts';

/** What an entry was installed with. Paths are below the entry, with slashes. */
export interface Listed {
  /** The value of a file or a link; undefined when the entry was installed without it. */
  find: (path: string) => string | undefined;
  /** Whether the entry was installed with something in a directory of that path. */
  hasDirectory: (path: string) => boolean;
  /** The package that a path lies in: the longest path of one above it; undefined for none. */
  findPackage: (path: string) => string | undefined;
  /** The files of a package, scripts' work included. */
  listPackage: (path: string) => [path: string, value: string][];
}

/** Creates the search in one listing. */
export function createListed({ packages, generated }: Files): Listed {
  const made = [...generated].filter(([, value]) => value !== '');
  const search = (path: string): string | undefined => {
    const changed = generated.get(path);
    if (changed !== undefined) return changed === '' ? undefined : changed;
    for (const [owner, name] of eachOwner(path, packages)) {
      const line = findLine(packages.get(owner) ?? '', name);
      if (line?.path === name) return line.value;
    }
    return undefined;
  };
  const findBelow = (prefix: string): boolean => {
    for (const [owner, name] of eachOwner(prefix, packages)) {
      if (findLine(packages.get(owner) ?? '', name)?.path.startsWith(name)) return true;
    }
    for (const path of packages.keys()) if (path.startsWith(prefix)) return true;
    return made.some(([path]) => path.startsWith(prefix));
  };
  return {
    find: remember(search),
    hasDirectory: remember((path) => path === '' || packages.has(path) || findBelow(`${path}/`)),
    findPackage: (path) => {
      const [first] = eachOwner(path, packages);
      return first?.[0];
    },
    listPackage: (owner) => {
      const files = new Map<string, string>();
      const text = packages.get(owner) ?? '';
      for (let start = 0; start < text.length; ) {
        const line = readLine(text, start);
        files.set(`${owner}/${line.path}`, line.value);
        start = line.end;
      }
      for (const [path, value] of generated) {
        if (!path.startsWith(`${owner}/`)) continue;
        if (value === '') files.delete(path);
        else files.set(path, value);
      }
      return [...files];
    },
  };
}

/** The packages above a path, nearest first, each with the rest of the path. */
function* eachOwner(
  path: string,
  packages: ReadonlyMap<string, string>,
): Generator<[owner: string, name: string]> {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const owner = path.slice(0, end);
    if (packages.has(owner)) yield [owner, path.slice(end + 1)];
  }
}

/** The first line of a sorted listing whose path is not before a name. */
function findLine(listing: string, name: string) {
  let low = 0;
  let high = listing.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const start = middle === 0 ? 0 : listing.lastIndexOf('\n', middle - 1) + 1;
    const { path, end } = readLine(listing, start);
    if (path < name) low = end;
    else high = start;
  }
  return low < listing.length ? readLine(listing, low) : undefined;
}
