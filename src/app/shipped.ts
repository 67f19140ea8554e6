/** Compares a feature with the packages that the core ships. The core's copy wins. */
import { satisfies } from '../base/semver.ts';
import type { Core } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { findCorePackage } from './core.ts';
import { isShipped } from './inventory.ts';
import type { Lookup } from './lookup.ts';

/** Versions by package, when the core ships all packages of a feature in their declared ranges. */
export function findShippedVersions({
  settings: { core },
  feature,
}: Lookup): Record<string, string> | undefined {
  const versions: Record<string, string> = {};
  for (const [name, range] of Object.entries(feature.packages)) {
    const version = findCorePackage(name, core.root)?.version;
    if (version === undefined || !satisfies(version, range) || !isShipped(core, name))
      return undefined;
    versions[name] = version;
  }
  // An invalid declaration can have no packages.
  return Object.keys(versions).length === 0 ? undefined : versions;
}

/** Whether the core ships every package of a feature, in any version: no entry of it is used. */
export const isInCore = ({ settings: { core }, feature }: Lookup): boolean =>
  Object.keys(feature.packages).every(
    (name) => findCorePackage(name, core.root) !== undefined && isShipped(core, name),
  );

/** The conflict between a feature and a package that the core ships outside the declared range; undefined without one. */
export function findOutsideRefusal({ settings: { core }, feature }: Lookup): Refusal | undefined {
  for (const [name, range] of Object.entries(feature.packages)) {
    const found = findCorePackage(name, core.root);
    const { version } = found ?? {};
    const fits = found === undefined || (version !== undefined && satisfies(version, range));
    if (!fits && isShipped(core, name)) return refuseOutside(core, name, { range, version });
  }
  return undefined;
}

/**
 * The refusal for a package whose copy in the core is outside the declared range.
 *
 * @param version of the core's copy; undefined when it cannot be read
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
  const copy = isUnshipped
    ? `core has ${name} ${version}, which it does not ship`
    : `core ships ${name} ${version}`;
  return {
    code: 'ANNEX_CONFLICT',
    reason: `${copy} (${core.root}), and ${range} is declared; core wins`,
    hint: isUnshipped
      ? `npm install --save-dev ${name}@${JSON.stringify(range)}`
      : 'change the declared range or the shipped version, or remove one of the two',
  };
}
