/** Reads tarballs from npm's cache, where the path is the digest; verifies them, and writes nothing. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Digests } from '../base/digest.ts';
import { computeIntegrity } from '../base/digest.ts';
import { readRegular } from '../base/files.ts';

/**
 * Opens the cache.
 *
 * @param cache npm's setting: the directory that holds `_cacache`
 * @returns a function that returns a tarball, or undefined when it is absent, damaged or larger than `maxBytes`
 * @see https://github.com/npm/cacache/blob/v20.0.1/lib/content/path.js
 */
export function openCache(
  cache: string,
): (digests: Digests, maxBytes: number) => Buffer | undefined {
  const root = join(cache, '_cacache', 'content-v2');
  let isPresent: boolean | undefined;
  const read = (algorithm: string, wanted: string, maxBytes: number): Buffer | undefined => {
    const hex = Buffer.from(wanted.slice(algorithm.length + 1), 'base64').toString('hex');
    const path = join(root, algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
    try {
      // First: an error for each absent package costs more than this for all of them.
      if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
      const bytes = readRegular(path, maxBytes);
      return computeIntegrity(bytes, algorithm) === wanted ? bytes : undefined;
    } catch {
      return undefined;
    }
  };
  return ({ algorithm, all }, maxBytes) => {
    isPresent ??= existsSync(root);
    if (!isPresent) return undefined;
    return all.map((one) => read(algorithm, one, maxBytes)).find((bytes) => bytes !== undefined);
  };
}
