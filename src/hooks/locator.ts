/** Where the files stand that ask: the core, what it ships, an entry of a store. */
import { pathToFileURL } from 'node:url';
import { toRealPath } from '../core.ts';
import { parseBareSpecifier } from '../policy/specifier.ts';
import { mapHas, startsWith } from '../primordials.ts';
import { listStores } from '../store/entry.ts';
import { entryOf, versionRoot } from '../store/layout.ts';
import { readEntryManifest } from '../store/manifest.ts';
import type { Thread } from '../thread.ts';
import { createZones, type FindZone } from '../zones.ts';

/** A thread's knowledge of places. */
export interface Locator {
  thread: Thread;
  findZone: FindZone;
  /** The stores, as configured and as real paths. */
  roots: string[];
  /** The entry that a file is in; undefined for a file in none. */
  findEntryOf: (file: string) => string | undefined;
  /** What the URL of a file in a store begins with: that of the store. Undefined for any other URL. */
  findPrefix: (url: string) => string | undefined;
  /** Whether an entry takes a name from core. */
  isShared: (entry: string, name: string) => boolean;
  /**
   * Whether annex has any say in a request; everything else goes to Node unseen. It runs with every
   * request of the program, which may have replaced any built-in function since annex was loaded.
   */
  concerns: (specifier: string, parent: string | undefined) => boolean;
}

/** A store that does not exist yet has the real path of what it will be made in. */
export function createLocator(thread: Thread): Locator {
  const stores = listStores(thread.settings);
  const roots = [...new Set(stores.flatMap((store) => [store, toRealPath(store)]))];
  const versionRoots = roots.map(versionRoot);
  const { byPackage } = thread.settings.declaration;
  const sharedNames = new Map<string, Set<string>>();
  const findEntryOf = (file: string): string | undefined => {
    for (let at = 0; at < versionRoots.length; at++) {
      const entry = entryOf(file, versionRoots[at] as string);
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  const prefixes = versionRoots.map((root) => `${pathToFileURL(root).href}/`);
  const findPrefix = (url: string): string | undefined => {
    for (let at = 0; at < prefixes.length; at++) {
      const prefix = prefixes[at] as string;
      if (startsWith(url, prefix)) return prefix;
    }
    return undefined;
  };
  return {
    thread,
    findZone: createZones(thread.settings),
    roots,
    findEntryOf,
    findPrefix,
    isShared: (entry, name) => {
      let shared = sharedNames.get(entry);
      if (shared === undefined) {
        shared = new Set(Object.keys(readEntryManifest(entry)?.shared ?? {}));
        sharedNames.set(entry, shared);
      }
      return shared.has(name);
    },
    concerns: (specifier, parent) => {
      const bare = parseBareSpecifier(specifier);
      if (bare !== undefined && mapHas(byPackage, bare.name)) return true;
      const mayLeave = bare !== undefined || specifier[0] === '#';
      return mayLeave && parent !== undefined && findEntryOf(parent) !== undefined;
    },
  };
}
