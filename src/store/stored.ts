/** Lists every directory of a store that has the name of an entry, valid or not. */
import { join } from 'node:path';
import { isAbiName, parseEntryName, VERSION, versionRoot } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import { listNames } from './directory.ts';
import type { Look } from './look.ts';
import { type Manifest, type ReadManifest, readManifest } from './manifest.ts';

/** A directory with the name of an entry. */
export interface Stored {
  dir: string;
  /** Name of its ABI directory. */
  abi: string;
  slug: string;
  /** 32 hex digits over the content. */
  id: string;
  /** Undefined unless it is whole. */
  manifest?: Manifest;
  /** One clause on a damaged manifest. */
  damage?: string;
  /** Why this annex must not change the entry: another format, or a manifest that it may not read. */
  foreign?: string;
}

/**
 * Lists the directories, sorted by ABI and name.
 *
 * @param slug lists one feature; all by default
 * @param read reads a manifest, from its directory
 */
export function listStored(
  store: string,
  slug?: string,
  read: Look['readManifest'] = readManifest,
): Stored[] {
  return listNames(store, VERSION)
    .filter(isAbiName)
    .flatMap((abi) => {
      const root = join(versionRoot(store), abi);
      return listNames(store, VERSION, abi).flatMap((entry) => {
        const name = parseEntryName(entry);
        if (name === undefined || (slug !== undefined && name.slug !== slug)) return [];
        const dir = join(root, entry);
        return [{ dir, abi, slug: name.slug, id: name.id, ...readOrLeave(dir, read) }];
      });
    });
}

/** After an error that may be transient, the entry counts as foreign, and stays. */
function readOrLeave(dir: string, read: Look['readManifest']): ReadManifest {
  try {
    return read(dir, dir);
  } catch (error) {
    return { foreign: `its manifest cannot be read (${codeOf(error)})` };
  }
}
