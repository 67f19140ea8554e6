/** A directory of layers: an element of ANNEX_STORE that ends in `/*`. */
import { type Dirent, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { listDirectory } from './files.ts';

/** Whether a path stands for all directories in one directory. */
export const isLayerPattern = (path: string): boolean => isAbsolute(path) && basename(path) === '*';

/**
 * Replaces `/layers/*` by the directories in `/layers`, sorted by name, links to directories among them. Hidden names
 * and lost+found are no layers. A directory that has none, or cannot be read, stays as it is written.
 *
 * @example expandLayers(['/opt/annex', '/layers/*']) // ['/opt/annex', '/layers/exa', '/layers/sharp']
 */
export const expandLayers = (paths: readonly string[]): string[] =>
  paths.flatMap((path) => (isLayerPattern(path) ? expand(path) : path));

function expand(pattern: string): string[] {
  const dir = dirname(pattern);
  const found = listDirectory(dir, () => true)
    .filter(
      (each) => /^(?!lost\+found$)[^.]/.test(each.name) && isDirectory(each, join(dir, each.name)),
    )
    .map(({ name }) => join(dir, name))
    .sort((a, b) => (a < b ? -1 : 1));
  return found.length === 0 ? [pattern] : found;
}

function isDirectory(found: Dirent, path: string): boolean {
  if (!found.isSymbolicLink()) return found.isDirectory();
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
