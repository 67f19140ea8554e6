/** Locates the files that make and answer requests: in the core, in what it ships, in an entry of a store. */
import { mapHas } from '../base/primordials.ts';
import { entryOf, isWithin, listPrefixes, versionRoot } from '../base/store-layout.ts';
import { createRecognizer, type Recognizer } from './recognize.ts';
import type { Thread } from './thread.ts';
import { createZones, type FindZone } from './zones.ts';

/** Locates files for one thread. */
export interface Locator extends Recognizer {
  thread: Thread;
  findZone: FindZone;
  /** The entry that a path, as written, lies in; undefined when it lies in none. */
  findEntryOf: (path: string) => string | undefined;
  /** The real path of an entry, as long as no link has replaced it or a directory between it and its store. */
  findRealEntry: (entry: string) => string;
  /** Whether an entry shares a package with the core. */
  isShared: (entry: string, name: string) => boolean;
  /** The packages that an entry shares with the core. */
  listShared: (entry: string) => string[];
}

/** Creates the locator of a thread. The stores keep the real paths that they had when the thread started. */
export function createLocator(thread: Thread): Locator {
  const { stores } = thread;
  const roots = [...new Set(stores.flatMap(({ store, real }) => [store, real]))];
  const versionRoots = roots.map(versionRoot);
  const { byPackage } = thread.settings.declaration;
  const recognizer = createRecognizer(
    (name) => mapHas(byPackage, name),
    () => listPrefixes(roots),
  );
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
  return {
    ...recognizer,
    thread,
    findZone: createZones(thread.settings),
    findEntryOf,
    findRealEntry,
    isShared: (entry, name) => Object.hasOwn(findShared(entry), name),
    listShared: (entry) => Object.keys(findShared(entry)),
  };
}
