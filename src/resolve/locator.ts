/** Locates the files that make and answer requests: in the core, in what it ships, in an entry of a store. */
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mapHas, startsWith } from '../base/primordials.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import { entryOf, isWithin, versionRoot } from '../base/store-layout.ts';
import { findTargetPath, mayMeanStored } from './destination.ts';
import type { Request } from './request.ts';
import type { Thread } from './thread.ts';
import { createZones, type FindZone } from './zones.ts';

/** Locates files for one thread. */
export interface Locator {
  thread: Thread;
  findZone: FindZone;
  /** Whether a path or file URL, as written, is below the version root of a store. */
  isInStore: (pathOrURL: string) => boolean;
  /** The entry that a path, as written, lies in; undefined when it lies in none. */
  findEntryOf: (path: string) => string | undefined;
  /** The real path of an entry, as long as no link has replaced it or a directory between it and its store. */
  findRealEntry: (entry: string) => string;
  /** Whether an entry shares a package with the core. */
  isShared: (entry: string, name: string) => boolean;
  /** The packages that an entry shares with the core. */
  listShared: (entry: string) => string[];
  /**
   * Whether annex takes part in a request; Node answers every other one alone. Runs for every request of the
   * program, which may have replaced any built-in function since annex was loaded.
   *
   * @param parent path or URL of the parent file
   */
  concerns: (specifier: string, parent: string | undefined, kind: Request['kind']) => boolean;
  /** The path in a store that the specifier of a file outside every store means; undefined for any other request. */
  findStoredPath: (request: Pick<Request, 'specifier' | 'kind' | 'parent'>) => string | undefined;
}

/** Creates the locator of a thread. The stores keep the real paths that they had when the thread started. */
export function createLocator(thread: Thread): Locator {
  const { stores } = thread;
  const roots = [...new Set(stores.flatMap(({ store, real }) => [store, real]))];
  const versionRoots = roots.map(versionRoot);
  const { byPackage } = thread.settings.declaration;
  const prefixes = roots.flatMap((root) => [
    versionRoot(root) + sep,
    `${pathToFileURL(versionRoot(root)).href}/`,
  ]);
  const isInStore = (pathOrURL: string): boolean => {
    for (let at = 0; at < prefixes.length; at++) {
      if (startsWith(pathOrURL, prefixes[at] as string)) return true;
    }
    return false;
  };
  const findEntryOf = (file: string): string | undefined => {
    for (let at = 0; at < versionRoots.length; at++) {
      const entry = entryOf(file, versionRoots[at] as string);
      if (entry !== undefined) return entry;
    }
    return undefined;
  };
  const findRealEntry = (entry: string): string => {
    const found = stores.find(({ store }) => isWithin(entry, store));
    return found === undefined ? entry : found.real + entry.slice(found.store.length);
  };
  const findShared = (entry: string): object =>
    thread.findManifest(findRealEntry(entry))?.shared ?? {};
  const findStoredPath: Locator['findStoredPath'] = (request) => {
    const path = mayMeanStored(request.specifier) ? findTargetPath(request) : undefined;
    return path !== undefined && isInStore(path) ? path : undefined;
  };
  return {
    thread,
    findZone: createZones(thread.settings),
    isInStore,
    findEntryOf,
    findRealEntry,
    isShared: (entry, name) => Object.hasOwn(findShared(entry), name),
    listShared: (entry) => Object.keys(findShared(entry)),
    findStoredPath,
    concerns: (specifier, parent, kind) => {
      if (parent !== undefined && isInStore(parent)) return true;
      const bare = parseBareSpecifier(specifier);
      return bare === undefined
        ? findStoredPath({ specifier, parent, kind }) !== undefined
        : mapHas(byPackage, bare.name);
    },
  };
}
