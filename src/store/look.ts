/** How a search looks at the entries of a store. */
import { readdirSync } from 'node:fs';
import { parseEntryName, VERSION } from '../base/store-layout.ts';
import { resolveEntry } from './access.ts';
import { withDir } from './directory.ts';
import { type ReadManifest, readManifest } from './manifest.ts';
import { findRetirement, type Retirement } from './retire.ts';

/** What a search finds out about a store and its entries. `createSurvey` finds out each thing once. */
export interface Look {
  /**
   * Names of the entries of a feature in an ABI directory.
   *
   * @throws errors of the file system, and an AnnexError for a path that is not a directory
   */
  listNames: (store: string, abi: string, slug: string) => string[];
  /** As `resolveEntry`. */
  resolve: (store: string, path: string) => string;
  /** As `findRetirement`. */
  findRetirement: (store: string, path: string) => Retirement | undefined;
  /**
   * As `readManifest`.
   *
   * @param dir real path of the entry, if it is known
   * @param path path of the entry below the store as configured
   */
  readManifest: (dir: string, path: string) => ReadManifest;
}

/** Looks again each time. */
export const DIRECT: Look = {
  listNames: (store, abi, slug) => {
    const all = withDir(store, [VERSION, abi], (dir) => readdirSync(dir.at()));
    return all.filter((name) => name.startsWith(`${slug}.`) && parseEntryName(name)?.slug === slug);
  },
  resolve: resolveEntry,
  findRetirement,
  readManifest,
};
