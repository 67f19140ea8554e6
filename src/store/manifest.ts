/** Reads the manifest of an entry. */
import { join } from 'node:path';
import type { Manifest } from '../types.ts';
import { FORMAT, MANIFEST } from './layout.ts';
import { readText } from './regular.ts';

/** Bytes of a manifest: 5,000 packages take a little less. An install writes none that is longer. */
export const MOST_MANIFEST = 2 * 2 ** 20;

/** The manifest of an entry; undefined when there is none of our format. */
export function readEntryManifest(dir: string): Manifest | undefined {
  try {
    const manifest = JSON.parse(readText(join(dir, MANIFEST), MOST_MANIFEST)) as Manifest;
    const isOurs =
      manifest.format === FORMAT &&
      Array.isArray(manifest.closure) &&
      isRecord(manifest.specs) &&
      isRecord(manifest.shared);
    return isOurs ? manifest : undefined;
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, never> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
