/** Collects what is known of each feature for a report, and says which features are left out. */
import type { LeftOut } from '../../lock/locked.ts';
import type { Feature } from '../../settings/feature.ts';
import { warn } from './command.ts';

/**
 * Reads what a report needs of each feature. A line on stderr names each feature that is left out.
 *
 * @returns what was read; `isWhole` is false when a feature was left out that should not be
 */
export function collectParts<T extends object>(
  features: readonly Feature[],
  read: (feature: Feature) => T | LeftOut,
): { parts: T[]; isWhole: boolean } {
  const parts: T[] = [];
  let isWhole = true;
  for (const feature of features) {
    const part = read(feature);
    if ('isExpected' in part) {
      warn(`${feature.name} is left out: ${part.reason}`);
      isWhole &&= part.isExpected;
    } else parts.push(part);
  }
  return { parts, isWhole };
}
