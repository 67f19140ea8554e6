/** A look at all entries of a store: reads each manifest once, and what entries have in common once. */
import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseEntryName, RETIRED, retirementName, VERSION } from '../base/store-layout.ts';
import { resolveEntry, toLocation } from './access.ts';
import { listNames, withDir } from './directory.ts';
import type { Look } from './look.ts';
import { type ReadManifest, readManifest } from './manifest.ts';
import { findRetirement } from './retire.ts';

/**
 * Creates the look of one command that judges many entries. It does not see what changes meanwhile, apart from entries
 * that are removed.
 *
 * @example listHeld(settings, { look: createSurvey() })
 */
export function createSurvey(): Look {
  const names = new Map<string, Map<string, string[]>>();
  const marks = new Map<string, Set<string>>();
  const parents = new Map<string, string>();
  const manifests = new Map<string, ReadManifest>();
  return {
    listNames: (store, abi, slug) => {
      const key = join(store, abi);
      const known = names.get(key) ?? groupNames(store, abi);
      names.set(key, known);
      return known.get(slug) ?? [];
    },
    // The way to an entry, its owner and its mode decide about it: see `findDistrust`.
    resolve: (store, path) => {
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat?.isDirectory() !== true) return resolveEntry(store, path);
      const { uid, gid, mode } = toLocation(path, stat);
      const key = [dirname(path), uid, gid, mode].join('\0');
      const parent = parents.get(key);
      if (parent !== undefined) return join(parent, basename(path));
      const dir = resolveEntry(store, path);
      parents.set(key, dirname(dir));
      return dir;
    },
    findRetirement: (store, path) => {
      const known = marks.get(store) ?? new Set(listNames(store, VERSION, RETIRED));
      marks.set(store, known);
      return known.has(retirementName(path)) ? findRetirement(store, path) : undefined;
    },
    readManifest: (dir, path) => {
      const read = manifests.get(path) ?? readManifest(dir);
      manifests.set(path, read);
      return read;
    },
  };
}

/** Slugs to the names of entries, in the order of the directory. */
function groupNames(store: string, abi: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of withDir(store, [VERSION, abi], (dir) => readdirSync(dir.at()))) {
    const slug = parseEntryName(name)?.slug;
    if (slug === undefined) continue;
    const group = groups.get(slug);
    if (group === undefined) groups.set(slug, [name]);
    else group.push(name);
  }
  return groups;
}
