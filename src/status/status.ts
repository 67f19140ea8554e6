/** Where a feature is, and why it is unavailable. */
import { findCorePackage } from '../app/core.ts';
import { isShipped } from '../app/inventory.ts';
import type { Lookup } from '../app/lookup.ts';
import { refuseOutside } from '../app/shipped.ts';
import { readAbi } from '../base/abi.ts';
import { refuseUnread } from '../base/file-error.ts';
import { satisfies } from '../base/semver.ts';
import { ownOf } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';
import { isTransient } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findNearest } from '../settings/suggest.ts';
import { type FoundEntry, findEntry, type Known } from '../store/entry.ts';
import { listVersions } from '../store/manifest.ts';
import type { FeatureStatus, Refusal, Whereabouts } from '../types.ts';
import type { Memory } from './failure-memory.ts';
import { explainAbsence, findInstallRefusal, nameInstallCommand } from './refusals.ts';

type PackageStatus = FeatureStatus['packages'][string];

/** Finds a feature by its name, or by the name of a package that it lists. */
export function findFeature({ declaration }: Settings, name: string): Feature | undefined {
  return declaration.features.get(name) ?? declaration.byPackage.get(name);
}

/** Why a name that no feature and no package of one has is unavailable. */
export function refuseUndeclared({ declaration, core }: Settings, name: string): Refusal {
  const { features, byPackage } = declaration;
  const nearest = findNearest(name, [...features.keys(), ...byPackage.keys()]);
  const meant = nearest === undefined ? '' : `Did you mean ${nearest}? `;
  return {
    code: 'ANNEX_INVALID_CONFIG',
    reason: `it is not declared in ${core.root}/package.json`,
    hint: `declare it: npx annex add ${isPackageName(name) ? name : 'NAME@RANGE'}`,
    state: `${meant}Declared: ${[...features.keys()].join(', ') || 'none'}`,
  };
}

/** Options of `findStatus`. */
export interface StatusOptions extends Known {
  /** Verifies the entry that was found, as an import does; by default its files are not read. */
  verify?: ((lookup: Lookup) => FoundEntry) | undefined;
  memory?: Memory;
}

/** The status of a feature. Never throws, writes, installs or uses the network. */
export function findStatus(lookup: Lookup, options: StatusOptions = {}): FeatureStatus {
  try {
    return composeStatus(lookup, options);
  } catch (error) {
    if (!isTransient(error)) throw error;
    const { settings, feature } = lookup;
    const refusal = refuseUnread(error, settings.core.root);
    return { feature: feature.name, where: 'failed', packages: {}, refusal };
  }
}

function composeStatus(lookup: Lookup, options: StatusOptions): FeatureStatus {
  const { settings, feature } = lookup;
  const inCore = listCorePackages(lookup);
  const where = summarizeCore(inCore, feature);
  if (where === 'core' || where === 'core (not shipped)') {
    return { feature: feature.name, where, packages: inCore };
  }
  const found = searchStores(lookup, options);
  const { entry } = found;
  const install = entry ? undefined : findInstallRefusal(lookup, found, options.memory);
  const elsewhere = entry ? (entry.isLayer ? 'layer' : 'store') : describeAbsence(install);
  const versions = entry ? listVersions(entry.manifest, feature) : {};
  const packages = Object.entries(feature.packages).map(([name, range]) => {
    const version = ownOf(versions, name);
    const elsewhereStatus = { range, where: elsewhere, ...(version !== undefined && { version }) };
    return [name, ownOf(inCore, name) ?? elsewhereStatus] as const;
  });
  const status: FeatureStatus = {
    feature: feature.name,
    where: where ?? elsewhere,
    packages: Object.fromEntries(packages),
  };
  const outside = Object.entries(inCore).find(([, found]) => isOutside(found));
  if (outside !== undefined) {
    return { ...status, refusal: refuseOutside(settings.core, ...outside) };
  }
  if (entry !== undefined) return { ...status, dir: entry.dir };
  const refusal = explainAbsence(found, install) ?? findRejectedRefusal(found, lookup);
  return refusal === undefined ? status : { ...status, refusal };
}

/** Whether an import of every package of the feature resolves now, to a version in the declared range. */
export const isUsable = ({ where }: FeatureStatus): boolean =>
  where === 'core' || where === 'core (not shipped)' || where === 'store' || where === 'layer';

function searchStores(lookup: Lookup, { verify, ...known }: StatusOptions): FoundEntry {
  const found = findEntry(lookup, readAbi(), known);
  return found.entry === undefined || verify === undefined ? found : verify(lookup);
}

/** The packages of a feature that the core has. */
function listCorePackages({ settings: { core }, feature }: Lookup): Record<string, PackageStatus> {
  const packages = Object.entries(feature.packages).flatMap(([name, range]) => {
    const found = findCorePackage(name, core.root);
    if (found === undefined) return [];
    const { version } = found;
    const fits = version !== undefined && satisfies(version, range);
    const inRange = isShipped(core, name) ? 'core' : 'core (not shipped)';
    const where: Whereabouts = fits ? inRange : 'core outside range';
    return [[name, { range, where, ...(version !== undefined && { version }) }] as const];
  });
  return Object.fromEntries(packages);
}

const isOutside = ({ where }: PackageStatus): boolean => where === 'core outside range';

/** Undefined when the stores decide: the core lacks a package of the feature. */
function summarizeCore(
  inCore: Record<string, PackageStatus>,
  feature: Feature,
): Whereabouts | undefined {
  const found = Object.values(inCore);
  if (found.some(isOutside)) return 'core outside range';
  if (found.length === 0 || found.length < Object.keys(feature.packages).length) return undefined;
  return found.every(({ where }) => where === 'core') ? 'core' : 'core (not shipped)';
}

/** Denied: known without an attempt, or denied in one. Only a remembered failure has a state: its next attempt. */
function describeAbsence(install: Refusal | undefined): Whereabouts {
  if (install === undefined) return 'missing';
  return install.code === 'ANNEX_DENIED' || install.state === undefined ? 'denied' : 'failed';
}

/** An install may start: why what is there is not used. */
function findRejectedRefusal(
  { rejected, unfit }: FoundEntry,
  { settings, feature }: Lookup,
): Refusal | undefined {
  const reasons = new Set([...rejected, ...(unfit?.reason === undefined ? [] : [unfit.reason])]);
  if (reasons.size === 0) return undefined;
  const command = nameInstallCommand(settings, feature.name);
  return {
    code: 'ANNEX_STORE_UNUSABLE',
    reason: [...reasons].join('; '),
    hint: unfit?.isLayer === true ? `${unfit.hint}, or ${command}` : command,
  };
}
