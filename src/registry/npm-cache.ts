/** Tarballs in npm's cache, where each lies under its digest: read only, and verified. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digests } from '../base/digest.ts';
import { computeIntegrity } from '../base/digest.ts';
import { readRegular } from '../base/files.ts';

/**
 * Opens the cache.
 *
 * @param cache npm's setting: the directory that holds `_cacache`
 * @returns what finds a tarball of at most so many bytes; undefined when it is not there, or not whole
 * @see https://github.com/npm/cacache/blob/v20.0.1/lib/content/path.js
 */
export function openCache(cache: string): (digests: Digests, most: number) => Buffer | undefined {
  const root = join(cache, '_cacache', 'content-v2');
  let isThere: boolean | undefined;
  const read = (algorithm: string, wanted: string, most: number): Buffer | undefined => {
    const hex = Buffer.from(wanted.slice(algorithm.length + 1), 'base64').toString('hex');
    const path = join(root, algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
    try {
      // Asked first: an error for each package that is not there costs more than all of them.
      if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
      const bytes = readRegular(path, most);
      return computeIntegrity(bytes, algorithm) === wanted ? bytes : undefined;
    } catch {
      return undefined;
    }
  };
  return ({ algorithm, all }, most) => {
    isThere ??= existsSync(root);
    if (!isThere) return undefined;
    return all.map((one) => read(algorithm, one, most)).find((bytes) => bytes !== undefined);
  };
}
