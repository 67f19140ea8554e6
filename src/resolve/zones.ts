/** Finds the zone of a file: the core, a package that it ships, an importer, or outside. */
import { realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { listDirectory } from '../base/files.ts';
import { listAncestors, toRealPath } from '../base/paths.ts';
import { isWithin } from '../base/store-layout.ts';
import { isTransient } from '../base/thrown.ts';
import type { Settings } from '../settings/settings.ts';
import type { Zone } from './decide.ts';

/** Finds the zone of a file that is in no entry. */
export type FindZone = (file: string) => Exclude<Zone, 'entry'>;

/**
 * Creates the function of a thread. It caches directories, since hooks need the zone for every import of a
 * declared package.
 */
export function createZones(settings: Settings): FindZone {
  const { root, realRoot } = settings.core;
  const directories = settings.declaration.importers.filter((item) => item.startsWith('/'));
  const packages = new Set(settings.declaration.importers.filter((item) => !item.startsWith('/')));
  const importerRoots = [...directories, ...directories.map(toRealPath)];
  const modulesAbove = [...listAncestors(root), ...listAncestors(realRoot)].map((dir) =>
    join(dir, 'node_modules'),
  );
  const known = new Map<string, Exclude<Zone, 'entry'>>();
  let linked: Map<string, string> | undefined;

  const findPackageZone = (name: string | undefined): 'dependency' | 'importer' =>
    name !== undefined && packages.has(name) ? 'importer' : 'dependency';

  const findTreeZone: FindZone = (dir) => {
    for (const core of [root, realRoot]) {
      if (!isWithin(dir, core)) continue;
      const name = findPackageName(dir.slice(core.length));
      return name === undefined ? 'core' : findPackageZone(name);
    }
    for (const modules of modulesAbove) {
      if (isWithin(dir, modules)) {
        return findPackageZone(findPackageName(dir.slice(dirname(modules).length)));
      }
    }
    linked ??= listLinked(modulesAbove);
    for (const [target, name] of linked) {
      if (!isWithin(dir, target)) continue;
      const inner = findPackageName(dir.slice(target.length)) ?? findPackageName(target);
      if (inner !== undefined) return findPackageZone(inner);
      return packages.has(name) ? 'importer' : 'core';
    }
    return 'outside';
  };
  const findDirectoryZone: FindZone = (dir) => {
    const zone = findTreeZone(dir);
    const isListed = importerRoots.some((importer) => isWithin(dir, importer));
    return zone !== 'core' && isListed ? 'importer' : zone;
  };
  return (file) => {
    const dir = dirname(file);
    let zone = known.get(dir);
    if (zone === undefined) {
      zone = findDirectoryZone(dir);
      // The path can have a link into the core: createRequire and --preserve-symlinks keep it.
      if (zone === 'outside') zone = findDirectoryZone(toRealPath(dir));
      known.set(dir, zone);
    }
    return zone;
  };
}

/** The package that a path lies in: the name after its last `node_modules`. */
export function findPackageName(path: string): string | undefined {
  const parts = path.split(sep);
  const index = parts.lastIndexOf('node_modules');
  if (index === -1) return undefined;
  const [first = '', second = ''] = parts.slice(index + 1);
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** The real directories that node_modules links to, with their names there. */
function listLinked(modules: string[]): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (dir: string, scope: string): void => {
    for (const child of readDirectory(dir)) {
      const path = join(dir, child.name);
      if (child.isDirectory() && scope === '' && child.name.startsWith('@')) {
        visit(path, `${child.name}/`);
      } else if (child.isSymbolicLink()) {
        try {
          found.set(realpathSync.native(path), scope + child.name);
        } catch {
          // A dangling link has no target.
        }
      }
    }
  };
  for (const dir of modules) visit(dir, '');
  return found;
}

// The result is cached.
const readDirectory = (dir: string) => listDirectory(dir, (error) => !isTransient(error));
