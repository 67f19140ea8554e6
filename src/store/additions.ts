/** Decides which additions to an entry can change what Node loads from it. */
import type { Expected } from './listing.ts';

/** Kind of an addition. */
export type Kind = 'file' | 'directory' | 'link';

/** An installed directory, an addition that can change what Node loads, or a harmless one. */
export type Effect = 'installed' | 'matters' | 'harmless';

/** Judges a path below the entry that no listing names. */
export type Judge = (path: string, kind: Kind) => Effect;

/** A shared library, by its name: the system's linker searches directories for it that may be absent. */
const IS_LIBRARY = /\.(?:so|dylib)(?:\.|$)/;
/** A directory in which the system's linker finds a library before the one beside it, ld.so(8). */
const HWCAPS = 'glibc-hwcaps';

/** Extensions that `require` tries before it looks for a directory. */
const PROBED = ['.js', '.json', '.node'];
/** A file that `require` finds by one of these extensions, or by its whole name without an extension. */
const IS_PROBED = /(?:^[^.]+|\.(?:js|json|node))$/;
/** A file that `require` finds for the name of a directory, and `import` for that of a package. */
const IS_INDEX = /^index\.(?:js|json|node)$/;
/** A file that Node loads by its path; one without an extension is JavaScript. */
const IS_LOADED = /(?:^[^.]+|\.(?:[cm]?js|json|node|wasm))$/;

/**
 * Creates the judge of one entry.
 *
 * These additions change the result of a request: a package.json; a `node_modules`, and any name in one, even an
 * empty directory; in an installed directory, a link and a file that `require` finds by trying extensions; and
 * the index of a new directory in an installed one. A shared library changes what an addon is linked to. Any other
 * file is only loaded by its own path. A hook that watches every load finds that, except for addons. Without such a
 * hook, every link and every file that Node can load counts.
 *
 * @param shared names that the entry takes from core: their links are made when the entry is published, and may lead
 *   anywhere
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
    if (name === 'package.json' || name === 'node_modules' || name === HWCAPS) return true;
    if (/(?:^|\/)node_modules(?:\/@[^/]*)?$/.test(parent)) return true;
    if (kind === 'directory') return false;
    if (name.endsWith('.node') || IS_LIBRARY.test(name)) return true;
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

/**
 * Whether an addition can change the libraries that the system's linker loads for an addon: a library, a directory that it
 * prefers, or a link, which may lead to either.
 *
 * @param path below the entry, of something that no listing names
 */
export function canChangeLinking(path: string, kind: Kind, shared: ReadonlySet<string>): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (kind === 'link') return !isSharedName(path, kind, shared);
  return name === HWCAPS || IS_LIBRARY.test(name);
}

/** Directory of a path; empty for the top of the entry. */
const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

/** Whether a path is the link of a shared name, or the directory of its scope. */
function isSharedName(path: string, kind: Kind, shared: ReadonlySet<string>): boolean {
  const name = path.slice('node_modules/'.length);
  if (path !== `node_modules/${name}`) return false;
  if (kind === 'link') return shared.has(name);
  return kind === 'directory' && [...shared].some((each) => each.startsWith(`${name}/`));
}

/** The directories of installed files, below the entry. */
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
