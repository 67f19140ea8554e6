/** The application's packages: its workspaces, the owners of package names, and the copies that it ships. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { listDirectory, pathExists } from '../base/files.ts';
import { readPackage } from '../base/package-json.ts';
import { listAncestors } from '../base/paths.ts';
import type { CoreManifest } from './core-root.ts';

/** Names of a core's workspaces, from literal paths and `dir/*` patterns. */
export function listWorkspaces({ dir, manifest }: CoreManifest): string[] {
  const field = manifest.workspaces;
  const patterns = Array.isArray(field)
    ? field
    : ((field as { packages?: unknown } | undefined)?.packages ?? []);
  if (!Array.isArray(patterns)) return [];
  return patterns
    .filter((pattern): pattern is string => typeof pattern === 'string')
    .flatMap((pattern) =>
      pattern.endsWith('/*') ? listChildren(join(dir, pattern.slice(0, -2))) : [join(dir, pattern)],
    )
    .flatMap((workspace) => readName(workspace) ?? []);
}

const listChildren = (dir: string): string[] =>
  listDirectory(dir, () => true).map(({ name }) => join(dir, name));

function readName(dir: string): string | undefined {
  const name = readPackage(dir)?.name;
  return typeof name === 'string' ? name : undefined;
}

const FILE_FORMS = ['', '.js', '.json', '.node'];

/**
 * Finds the owner of a package name, as seen from a directory: a path, or undefined. The file system
 * decides, not the error code of Node: `require` reports absent and broken packages alike. Owners are
 * also a dangling link, a file that only `require` resolves, a package.json of that name above, and,
 * except in global folders, a path that cannot be read.
 *
 * @param globals directories that `require` searches last (NODE_PATH and Node's own)
 */
export function findOwner(
  name: string,
  from: string,
  globals: readonly string[],
): string | undefined {
  let isInScope = true;
  for (const dir of listAncestors(from)) {
    const inModules = join(dir, 'node_modules', name);
    const owner = FILE_FORMS.map((form) => inModules + form).find(pathExists);
    if (owner !== undefined) return owner;
    if (!isInScope) continue;
    const scope = join(dir, 'package.json');
    if (!pathExists(scope)) continue;
    const manifest = readPackage(dir);
    if (manifest === undefined || manifest.name === name) return scope;
    isInScope = typeof manifest.name !== 'string';
  }
  return findGlobalOwners(name, globals)[0];
}

/** The owners of a package name in the directories that `require` searches last, in their order. */
export const findGlobalOwners = (name: string, globals: readonly string[]): string[] =>
  globals.flatMap((dir) => FILE_FORMS.map((form) => join(dir, name) + form)).filter(isVisible);

/** HOME often outlives a change of user: what cannot be read there owns nothing. */
function isVisible(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Finds the copy of a package that the core root sees, and its version if that can be read. */
export function findCorePackage(
  name: string,
  root: string,
): { dir: string; version: string | undefined } | undefined {
  for (const up of listAncestors(root)) {
    const dir = join(up, 'node_modules', name);
    if (!pathExists(dir)) continue;
    const version = readPackage(dir)?.version;
    return { dir, version: typeof version === 'string' ? version : undefined };
  }
  return undefined;
}
