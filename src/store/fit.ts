/** Whether what an entry holds still fits what is declared, and what core ships. */
import { findCorePackage } from '../app/core.ts';
import { satisfies } from '../base/semver.ts';
import type { Feature } from '../settings/feature.ts';
import type { Manifest } from './manifest.ts';

/** Why an entry does not fit any more, as one clause; undefined when it does. */
export const findMisfit = (
  manifest: Manifest,
  feature: Feature,
  root: string,
): string | undefined =>
  findMismatch(manifest, feature) ?? findSharedMismatch(manifest, feature, root);

/** Versions of the declared packages, as the manifest lists them. */
export function listVersions(manifest: Manifest, feature: Feature): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const { path, name, version } of manifest.closure) {
    if (name in feature.packages && path === `node_modules/${name}`) versions[name] = version;
  }
  return versions;
}

function findMismatch(manifest: Manifest, feature: Feature): string | undefined {
  const versions = listVersions(manifest, feature);
  for (const [name, range] of Object.entries(feature.packages)) {
    const version = versions[name];
    // Core ships one of several declared packages.
    if (version === undefined && Object.hasOwn(manifest.shared, name)) continue;
    if (version === undefined) return `it does not hold ${name}`;
    if (manifest.specs[name] !== range && !satisfies(version, range)) {
      return `it holds ${name} ${version}, not ${range}`;
    }
  }
  return undefined;
}

function findSharedMismatch(
  manifest: Manifest,
  { packages }: Feature,
  root: string,
): string | undefined {
  for (const [name, { ranges, version }] of Object.entries(manifest.shared)) {
    const now = findCorePackage(name, root)?.version;
    const declared = packages[name];
    if (now === version && declared === manifest.specs[name]) continue;
    const asked = declared === undefined ? ranges : [...ranges, declared];
    if (now === undefined || !asked.every((range) => satisfies(now, range))) {
      return `it takes ${name} ${asked.join(' and ')} from core, which has ${now ?? 'none'}`;
    }
  }
  return undefined;
}
