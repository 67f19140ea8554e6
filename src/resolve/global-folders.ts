/** Lists the folders that `require` searches after every node_modules, and which of them belong to the core. */
import Module from 'node:module';
import { join } from 'node:path';
import { findGlobalOwners, findOwner } from '../app/core.ts';
import { listAncestors, toRealPath } from '../base/paths.ts';
import { isContained } from '../store/directory.ts';
import type { Locator } from './locator.ts';

/**
 * The global folders: those of NODE_PATH, `.node_modules` and `.node_libraries` of HOME, and `lib/node` beside
 * the Node executable.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/modules.html#loading-from-the-global-folders
 */
export const listFolders = (): string[] =>
  (Module as unknown as { globalPaths?: string[] }).globalPaths ?? [];

/**
 * The global folders whose packages own a declared name. A sealed core has none of them: the user of the
 * application can often write to them. A node_modules of the core counts when NODE_PATH names it.
 */
export const listCoreFolders = ({ thread }: Locator): string[] => {
  const { core, isSealed } = thread.settings;
  if (!isSealed) return listFolders();
  const ups = [...listAncestors(core.root), ...listAncestors(core.realRoot)];
  return listFolders().filter((dir) => ups.some((up) => join(up, 'node_modules') === dir));
};

/**
 * Whether `require` found a declared package in a folder that does not belong to the core.
 *
 * @param from the directory at which the search starts
 */
export function isFromFolder(
  file: string | undefined,
  name: string,
  from: string,
  locator: Locator,
): boolean {
  if (!locator.thread.settings.isSealed) return false;
  const counted = listCoreFolders(locator);
  const others = listFolders().filter((dir) => !counted.includes(dir));
  const isIn = (owner: string): boolean => isContained(file, toRealPath(owner));
  if (!findGlobalOwners(name, others).some(isIn)) return false;
  const owner = findOwner(name, from, counted);
  return owner === undefined || !isIn(owner);
}
