/** Everything that stands in a store under the name of an entry, valid or not: for those who tidy up. */
import { join } from 'node:path';
import { codeOf } from '../errors.ts';
import type { Manifest } from '../types.ts';
import { listNames } from './dir.ts';
import { FORMAT, isAbiName, MANIFEST, parseEntryName, VERSION, versionRoot } from './layout.ts';
import { MOST_MANIFEST, readEntryManifest } from './manifest.ts';
import { readText } from './regular.ts';

/** A directory with the name of an entry. */
export interface Stored {
  dir: string;
  /** The ABI directory that it stands in. */
  abi: string;
  slug: string;
  /** 32 hex digits over the content. */
  id: string;
  /** Undefined when it has none of our format. */
  manifest?: Manifest;
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
        return [{ dir, abi, slug: name.slug, id: name.id, ...read(dir) }];
      });
    });
}

function read(dir: string): Pick<Stored, 'manifest' | 'foreign'> {
  const manifest = readEntryManifest(dir);
  if (manifest !== undefined) return { manifest };
  const foreign = findForeign(dir);
  return foreign === undefined ? {} : { foreign };
}

/** A manifest that is gone or damaged is ours all the same: a later format would be told by its number. */
function findForeign(dir: string): string | undefined {
  try {
    const { format } = JSON.parse(readText(join(dir, MANIFEST), MOST_MANIFEST)) ?? {};
    const isOther = Number.isSafeInteger(format) && format > 0 && format !== FORMAT;
    return isOther ? `its format is ${format}, and this annex reads ${FORMAT}` : undefined;
  } catch (error) {
    const code = codeOf(error);
    const isDamaged = error instanceof SyntaxError || code === 'ENOENT';
    return isDamaged ? undefined : `its manifest cannot be read (${code})`;
  }
}
