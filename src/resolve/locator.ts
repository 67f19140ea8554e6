/** Where the files stand that ask: the core, what it ships, an entry of a store. */
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mapHas, startsWith } from '../base/primordials.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import { entryOf, isWithin, versionRoot } from '../base/store-layout.ts';
import { mayMeanStored, readPlace } from './destination.ts';
import type { Request } from './request.ts';
import type { Thread } from './thread.ts';
import { createZones, type FindZone } from './zones.ts';

/** A thread's knowledge of places. */
export interface Locator {
  thread: Thread;
  findZone: FindZone;
  /** Whether a path or a file URL, as it is written, lies where stores keep their entries. */
  isInStore: (place: string) => boolean;
  /** The entry that a path lies in, as it is written; undefined for a path in none. */
  findEntryOf: (path: string) => string | undefined;
  /** The real path of an entry, unless a link has its place or that of a directory between it and its store. */
  findRealEntry: (entry: string) => string;
  /** Whether an entry takes a name from core. */
  isShared: (entry: string, name: string) => boolean;
  /** The names that it takes from core. */
  listShared: (entry: string) => string[];
  /**
   * Whether annex has any say in a request; everything else goes to Node unseen. It runs with every
   * request of the program, which may have replaced any built-in function since annex was loaded.
   *
   * @param parent path or URL of the file that asks
   */
  concerns: (specifier: string, parent: string | undefined, kind: Request['kind']) => boolean;
  /** The path in a store that a request of a file outside of every store means; undefined for any other request. */
  findPlace: (request: Pick<Request, 'specifier' | 'kind' | 'parent'>) => string | undefined;
}

/** Makes it from the places of the stores as they were when the thread started. */
export function createLocator(thread: Thread): Locator {
  const { places } = thread;
  const roots = [...new Set(places.flatMap(({ store, real }) => [store, real]))];
  const versionRoots = roots.map(versionRoot);
  const { byPackage } = thread.settings.declaration;
  const prefixes = roots.flatMap((root) => [
    versionRoot(root) + sep,
    `${pathToFileURL(versionRoot(root)).href}/`,
  ]);
  const isInStore = (place: string): boolean => {
    for (let at = 0; at < prefixes.length; at++) {
      if (startsWith(place, prefixes[at] as string)) return true;
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
    const found = places.find(({ store }) => isWithin(entry, store));
    return found === undefined ? entry : found.real + entry.slice(found.store.length);
  };
  const findShared = (entry: string): object =>
    thread.findManifest(findRealEntry(entry))?.shared ?? {};
  const findPlace: Locator['findPlace'] = (request) => {
    const place = mayMeanStored(request.specifier) ? readPlace(request) : undefined;
    return place !== undefined && isInStore(place) ? place : undefined;
  };
  return {
    thread,
    findZone: createZones(thread.settings),
    isInStore,
    findEntryOf,
    findRealEntry,
    isShared: (entry, name) => Object.hasOwn(findShared(entry), name),
    listShared: (entry) => Object.keys(findShared(entry)),
    findPlace,
    concerns: (specifier, parent, kind) => {
      if (parent !== undefined && isInStore(parent)) return true;
      const bare = parseBareSpecifier(specifier);
      return bare === undefined
        ? findPlace({ specifier, parent, kind }) !== undefined
        : mapHas(byPackage, bare.name);
    },
  };
}
