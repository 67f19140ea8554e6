/** Finds declared packages whose copy in the core is outside the declared range. That copy wins, and the feature is off. */
import { satisfies } from '../base/semver.ts';
import type { Feature } from '../settings/feature.ts';
import type { Core, Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { findCorePackage } from './core.ts';
import { isShipped } from './inventory.ts';

/** Returns the conflict between a feature and the packages that the core ships, or undefined. */
export function findOutsideRefusal(
  { core }: Settings,
  { packages }: Pick<Feature, 'packages'>,
): Refusal | undefined {
  for (const [name, range] of Object.entries(packages)) {
    const found = findCorePackage(name, core.root);
    const { version } = found ?? {};
    const isFit = found === undefined || (version !== undefined && satisfies(version, range));
    if (!isFit && isShipped(core, name)) return refuseOutside(core, name, { range, version });
  }
  return undefined;
}

/**
 * The refusal for such a package.
 *
 * @param version of core's copy; undefined when it cannot be read
 */
export function refuseOutside(
  core: Core,
  name: string,
  {
    range,
    version = 'in a form that cannot be read',
  }: { range: string; version?: string | undefined },
): Refusal {
  const isUnshipped = !isShipped(core, name);
  const has = isUnshipped
    ? `core has ${name} ${version}, which it does not ship`
    : `core ships ${name} ${version}`;
  return {
    code: 'ANNEX_CONFLICT',
    reason: `${has} (${core.root}), and ${range} is declared; core wins`,
    hint: isUnshipped
      ? `npm install --save-dev ${name}@${JSON.stringify(range)}`
      : 'change the declared range or the shipped version, or remove one of the two',
  };
}
