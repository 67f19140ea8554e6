/** Judges what another program, such as an update bot, wrote into the package-lock of a feature. */
import { join } from 'node:path';
import { satisfies } from '../base/semver.ts';
import type { Feature } from '../settings/feature.ts';
import type { Refusal } from '../types.ts';
import type { PreviousLock } from './previous.ts';

/**
 * Why an edited package-lock cannot be locked: a declared package has a version outside its range, which
 * locking would replace without a word. A version in the range that was declared when annex wrote the lock is
 * no edit.
 *
 * @param dir the directory of the lock
 * @example findEditRefusal(readPrevious(dir), dir, feature)?.reason // '... has exa-js 2.0.0, and ^1.9 is declared'
 */
export function findEditRefusal(
  previous: PreviousLock | undefined,
  dir: string,
  { name: feature, packages: declared }: Feature,
): Refusal | undefined {
  if (previous === undefined) return undefined;
  const { packages, shared, specs } = previous;
  for (const [name, range] of Object.entries(declared)) {
    const { version } = (packages[`node_modules/${name}`] ?? {}) as { version?: string };
    if (version === undefined || Object.hasOwn(shared, name)) continue;
    if (satisfies(version, range) || satisfies(version, specs[name] ?? '*')) continue;
    return {
      code: 'ANNEX_INVALID_CONFIG',
      reason: `${join(dir, 'package-lock.json')} was edited: it has ${name} ${version}, and ${range} is declared`,
      hint: `npx annex add ${name}@^${version} --feature ${feature}; or, to drop the edit, npx annex update ${feature}`,
    };
  }
  return undefined;
}
