/** Measures an entry on disk: its size, and when it was published. */
import { lstatSync } from 'node:fs';
import { readPublished } from '../../status/prune.ts';
import { measureTree } from '../../store/tree.ts';
import { formatTime } from './format.ts';

/** The size of an entry and the time when it was published. Both are missing if it was removed meanwhile. */
export interface Measured {
  /** Missing when part of it cannot be read. */
  bytes?: number;
  /** In ISO 8601. Missing in a baked entry: its files have the time 0. */
  published?: string;
}

/** Measures an entry, given its directory. */
export function measureEntry(dir: string): Measured {
  const bytes = measureBytes(dir);
  try {
    const published = readPublished(dir);
    return {
      ...(bytes !== undefined && { bytes }),
      ...(published > 0 && { published: formatTime(published) }),
    };
  } catch {
    return {};
  }
}

/** Size of an entry in bytes; undefined when part of it cannot be read. */
export function measureBytes(dir: string): number | undefined {
  try {
    return lstatSync(dir).isDirectory() ? measureTree(dir) : undefined;
  } catch {
    return undefined;
  }
}
