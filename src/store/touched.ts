/** Compares the files of one entry when they are touched: the answer to a request, and what Node reads to find it. */
import { lstatSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { remember } from '../base/remember.ts';
import { isNotFound, isTransient } from '../base/thrown.ts';
import type { Contents } from './contents.ts';
import { compareListed, type Difference, describeDifference, readListed } from './verify.ts';

/** A package.json, as far as Node reads it to resolve. */
export type PackageJson = Record<'name' | 'main' | 'exports' | 'imports', unknown>;

/**
 * The touched files of one entry. Paths are below it, with slashes; its own is empty. What was read is kept, as Node keeps
 * it. What is absent is looked for again, as Node does.
 */
export interface Touched {
  contents: Contents;
  /**
   * Compares a file that Node found: it was installed, and so was each package.json that applies to it, or is absent.
   * Compares an addon, and where not every load is watched the whole package.
   *
   * @returns one clause on what is damaged
   * @throws transient errors of the file system, as all of these functions do
   */
  findFileDamage: (path: string) => string | undefined;
  /** Compares the package.json of a directory, and those above it up to the nearest one that was installed. */
  findScopeDamage: (directory: string) => string | undefined;
  /** Compares the package.json of a directory alone. */
  findManifestDamage: (directory: string) => string | undefined;
  /** The package.json of a directory; undefined unless it is the one that was installed. */
  readManifest: (directory: string) => PackageJson | undefined;
  /** The nearest directory with an installed package.json. */
  findScope: (directory: string) => string | undefined;
  /** Whether nothing has the path of a package that was not installed. */
  isAbsent: (modules: string, name: string) => boolean;
  /** Whether a path leads to another one. */
  leadsTo: (path: string, other: string) => boolean;
}

/** How the files of an entry are loaded. */
export interface Loads {
  /** Whether every load is watched. */
  isWatched: boolean;
  /** Whether Node can keep links in paths. */
  keepsLinks: boolean;
}

/** @param dir real path of the entry */
export function createTouched(
  dir: string,
  contents: Contents,
  { isWatched, keepsLinks }: Loads,
): Touched {
  const describe = (path: string, problem: Difference['problem']): string =>
    describeDifference({ path, problem });

  const exists = (path: string): boolean => {
    try {
      return lstatSync(join(dir, path), { throwIfNoEntry: false }) !== undefined;
    } catch (error) {
      if (isTransient(error)) throw error;
      return !isNotFound(error);
    }
  };
  const toReal = (path: string): string | undefined => {
    try {
      return realpathSync.native(join(dir, path));
    } catch (error) {
      if (isTransient(error)) throw error;
      return undefined;
    }
  };
  const readText = remember((path: string): string | undefined => {
    const value = contents.find(path);
    try {
      return value && readListed(join(dir, path), value)?.toString();
    } catch (error) {
      if (isTransient(error)) throw error;
      return undefined;
    }
  }, isDefined);
  const readManifest = remember((directory: string): PackageJson | undefined => {
    try {
      return JSON.parse(readText(toManifest(directory)) ?? 'null') ?? undefined;
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }, isDefined);
  const findManifestDamage = (directory: string): string | undefined => {
    const path = toManifest(directory);
    if (contents.find(path) === undefined) {
      return exists(path) ? describe(path, 'added') : undefined;
    }
    if (readText(path) !== undefined) return undefined;
    return describe(path, exists(path) ? 'changed' : 'missing');
  };
  const findScope = remember((directory: string): string | undefined => {
    if (directory === '') return undefined;
    if (contents.find(toManifest(directory)) !== undefined) return directory;
    return findScope(parentOf(directory));
  });
  const findScopeDamage = (directory: string): string | undefined => {
    // The top of an entry has the barrier.
    if (directory === '') return undefined;
    const damage = findManifestDamage(directory);
    const isScope = contents.find(toManifest(directory)) !== undefined;
    return damage ?? (isScope ? undefined : findScopeDamage(parentOf(directory)));
  };
  const compared = new Set<string>();
  const findPackageDamage = (owner: string): string | undefined => {
    if (compared.has(owner)) return undefined;
    for (const [path, value] of contents.listPackage(owner)) {
      const problem = compareListed(join(dir, path), value);
      if (problem !== undefined) return describe(path, problem);
    }
    compared.add(owner);
    return undefined;
  };
  const findFileDamage = (path: string): string | undefined => {
    const value = contents.find(path);
    if (value === undefined) return describe(path, 'added');
    if (keepsLinks && toReal(path) !== join(dir, path)) return describe(path, 'changed');
    const damage =
      findScopeDamage(parentOf(path)) ??
      (isWatched ? undefined : findPackageDamage(contents.findPackage(path) ?? ''));
    if (damage !== undefined) return damage;
    const problem = path.endsWith('.node') ? compareListed(join(dir, path), value) : undefined;
    return problem && describe(path, problem);
  };
  return {
    contents,
    findFileDamage,
    findScopeDamage,
    findManifestDamage,
    readManifest,
    findScope,
    isAbsent: (modules, name) =>
      contents.hasDirectory(modules) ? !exists(`${modules}/${name}`) : !exists(modules),
    leadsTo: (path, other) => toReal(path) === join(dir, other),
  };
}

const isDefined = (value: unknown): boolean => value !== undefined;

const toManifest = (directory: string): string =>
  directory === '' ? 'package.json' : `${directory}/package.json`;

/** The directory of a path; empty for the top of the entry. */
export const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0));
