/** Adds up the sizes of entries; one that cannot be measured has no size, and not the size 0. */
import { formatSize } from './format.ts';

/** A number of entries, and their size. */
export interface Total {
  entries: number;
  /** Of those that could be measured. */
  bytes: number;
  /** How many could not be measured. Missing for none. */
  unmeasured?: number;
}

/** Adds up entries. */
export function addUp(entries: readonly { bytes?: number | undefined }[]): Total {
  const unmeasured = entries.filter(({ bytes }) => bytes === undefined).length;
  return {
    entries: entries.length,
    bytes: entries.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    ...(unmeasured > 0 && { unmeasured }),
  };
}

/**
 * @example formatTotal({ entries: 2, bytes: 1_234_567 }) // '1.2 MB'
 * @example formatTotal({ entries: 2, bytes: 1_234_567, unmeasured: 1 }) // 'at least 1.2 MB'
 * @example formatTotal({ entries: 1, bytes: 0, unmeasured: 1 }) // 'unknown'
 */
export function formatTotal({ entries, bytes, unmeasured = 0 }: Total): string {
  if (unmeasured === 0) return formatSize(bytes);
  return unmeasured === entries ? 'unknown' : `at least ${formatSize(bytes)}`;
}
