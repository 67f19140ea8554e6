/** Which additions to an entry can change what Node loads from it; all others are no damage. */
import type { Expected } from './listing.ts';

/** What was added. */
export type Kind = 'file' | 'directory' | 'link';

/** A directory that was installed, or whether an addition can change what Node loads. */
export type Verdict = 'installed' | 'matters' | 'harmless';

/** Judges what no listing names, by its path below the entry. */
export type Judge = (path: string, kind: Kind) => Verdict;

/** What `require` appends to a name before it looks for a directory. */
const PROBED = ['.js', '.json', '.node'];
/** What it finds for a name with one of these, or for the whole name of a file without an extension. */
const IS_PROBED = /(?:^[^.]+|\.(?:js|json|node))$/;
/** What it finds for the name of a directory, and so does `import` for a package. */
const IS_INDEX = /^index\.(?:js|json|node)$/;
/** What Node loads by its name; a file without an extension is JavaScript. */
const IS_LOADED = /(?:^[^.]+|\.(?:[cm]?js|json|node|wasm))$/;

/**
 * Makes the judge of one entry.
 *
 * These change an answer: a package.json; a `node_modules`, and any name in one, an empty directory
 * too; in a directory that was installed, a link, and a file that `require` finds by probing, be it
 * that it comes before an installed one; and the index of a new directory in one that was installed.
 * Any other file answers a request for itself alone. Loading a file that was not installed is found
 * where every load is watched, except for addons, which no hook sees. Elsewhere whatever Node can load
 * counts, and every link, which may lead to it.
 *
 * @param shared names that the entry takes from core: the link of such a name was made when the entry was
 *   published, is no content, and may lead anywhere
 * @param isWatched whether every load from the entry is verified
 * @see https://nodejs.org/docs/latest-v24.x/api/modules.html#all-together
 */
export function createJudge(
  expected: Expected,
  shared: ReadonlySet<string>,
  isWatched: boolean,
): Judge {
  const directories = listDirectories(expected);
  const isInstalled = (directory: string): boolean =>
    directory === '' || directories.has(directory);
  const canChange = (path: string, kind: Kind): boolean => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const parent = parentOf(path);
    if (name === 'package.json' || name === 'node_modules') return true;
    if (/(?:^|\/)node_modules(?:\/@[^/]*)?$/.test(parent)) return true;
    if (kind === 'directory') return false;
    if (name.endsWith('.node')) return true;
    if (!isWatched && (kind === 'link' || IS_LOADED.test(name))) return true;
    if (!isInstalled(parent)) return IS_INDEX.test(name) && isInstalled(parentOf(parent));
    const comesBefore = PROBED.some((extension) => expected.has(path + extension));
    return kind === 'link' || IS_PROBED.test(name) || comesBefore;
  };
  return (path, kind) => {
    if (kind === 'directory' && directories.has(path)) return 'installed';
    if (isSharedName(path, kind, shared)) return 'installed';
    return canChange(path, kind) ? 'matters' : 'harmless';
  };
}

/** The directory that a path lies in; an empty text for the top of the entry. */
const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/** Whether a path is the link of a shared name, or the directory of its scope. */
function isSharedName(path: string, kind: Kind, shared: ReadonlySet<string>): boolean {
  const name = path.slice('node_modules/'.length);
  if (path !== `node_modules/${name}`) return false;
  if (kind === 'link') return shared.has(name);
  return kind === 'directory' && [...shared].some((each) => each.startsWith(`${name}/`));
}

/** The directories that installed files lie in, below the entry. */
function listDirectories(expected: Expected): Set<string> {
  const found = new Set<string>();
  for (const path of expected.keys()) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const directory = path.slice(0, end);
      if (found.has(directory)) break;
      found.add(directory);
    }
  }
  return found;
}
