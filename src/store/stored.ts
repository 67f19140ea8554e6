/** Everything that stands in a store under the name of an entry, valid or not: for those who tidy up. */
import { join } from 'node:path';
import { isAbiName, parseEntryName, VERSION, versionRoot } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { listNames } from './directory.ts';
import type { Manifest } from './manifest.ts';
import { type ReadManifest, readManifest } from './manifest.ts';

/** A directory with the name of an entry. */
export interface Stored {
  dir: string;
  /** The ABI directory that it stands in. */
  abi: string;
  slug: string;
  /** 32 hex digits over the content. */
  id: string;
  /** Undefined when it has none that is whole. */
  manifest?: Manifest;
  /** Why its manifest is not as it was written. */
  damage?: string;
  /** Why this annex has to leave it alone: another one's format, or a manifest that is not for us to read. */
  foreign?: string;
}

/**
 * Lists them, in order of their names.
 *
 * @param slug of one feature; all by default
 */
export function listStored(store: string, slug?: string): Stored[] {
  return listNames(store, VERSION)
    .filter(isAbiName)
    .flatMap((abi) => {
      const root = join(versionRoot(store), abi);
      return listNames(store, VERSION, abi).flatMap((entry) => {
        const name = parseEntryName(entry);
        if (name === undefined || (slug !== undefined && name.slug !== slug)) return [];
        const dir = join(root, entry);
        return [{ dir, abi, slug: name.slug, id: name.id, ...readOrLeave(dir) }];
      });
    });
}

/** What cannot be read at this moment is left alone. */
function readOrLeave(dir: string): ReadManifest {
  try {
    return readManifest(dir);
  } catch (error) {
    return { foreign: `its manifest cannot be read (${codeOf(error)})` };
  }
}
