/** Where a feature is, and why it is not to be had. */
import { findCorePackage } from '../app/core.ts';
import { isShipped } from '../app/inventory.ts';
import type { Lookup } from '../app/lookup.ts';
import { refuseOutside } from '../app/outside.ts';
import { readAbi } from '../base/abi.ts';
import { refuseUnread } from '../base/file-error.ts';
import { satisfies } from '../base/semver.ts';
import { isTransient } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import { findEntry, type Known } from '../store/entry.ts';
import { listVersions } from '../store/fit.ts';
import type { FeatureStatus, Refusal, Whereabouts } from '../types.ts';
import { findInstallRefusal, refuseAbsent } from './refusals.ts';

type PackageStatus = FeatureStatus['packages'][string];

/** A feature by its own name, or by that of a package it lists. */
export function findFeature({ declaration }: Settings, name: string): Feature | undefined {
  return declaration.features.get(name) ?? declaration.byPackage.get(name);
}

/** How to look: with what is known of the stores already, which files were found damaged above all. */
export interface Looking extends Known {
  /** Copies that core does not ship do not count: the answer is that of production. */
  isProduction?: boolean;
}

/** Looks; never installs, never writes, never touches the network. */
export function findStatus(lookup: Lookup, looking: Looking = {}): FeatureStatus {
  const { settings, feature } = lookup;
  try {
    return look(lookup, looking);
  } catch (error) {
    if (!isTransient(error)) throw error;
    const refusal = refuseUnread(error, settings.core.root);
    return { feature: feature.name, where: 'failed', packages: {}, refusal };
  }
}

function look(lookup: Lookup, { isProduction = false, ...known }: Looking): FeatureStatus {
  const { settings, feature } = lookup;
  const found = findEntry(lookup, readAbi(), known);
  const { entry, rejected, blocked, unread } = found;
  const elsewhere = entry === undefined ? undefined : entry.isLayer ? 'layer' : 'store';
  const install = elsewhere === undefined ? (unread ?? findInstallRefusal(lookup)) : undefined;
  const absent = install === undefined ? 'missing' : isDenial(install) ? 'denied' : 'failed';
  const versions = entry === undefined ? {} : listVersions(entry.manifest, feature);
  const packages: Record<string, PackageStatus> = {};
  for (const [name, range] of Object.entries(feature.packages)) {
    packages[name] =
      findInCore(settings, name, { range, isProduction }) ??
      describe(range, elsewhere ?? absent, versions[name]);
  }
  const where = summarize(Object.values(packages), elsewhere ?? absent);
  const status: FeatureStatus = { feature: feature.name, where, packages };
  if (where === 'core' || where === 'core (not shipped)') return status;
  const [name, outside] =
    Object.entries(packages).find(([, found]) => found.where === 'core outside range') ?? [];
  if (name !== undefined && outside !== undefined) {
    return { ...status, refusal: refuseOutside(settings.core, name, outside) };
  }
  if (entry !== undefined) return { ...status, dir: entry.dir };
  const refusal = unread ?? blocked ?? install;
  const why = refusal
    ? refuseAbsent(found, refusal)
    : rejected.length > 0 && refuseRejected(rejected, feature.name);
  return why ? { ...status, refusal: why } : status;
}

/** Whether an import of every package of the feature would be answered now, in the declared range. */
export const isUsable = ({ where }: FeatureStatus): boolean =>
  where === 'core' || where === 'core (not shipped)' || where === 'store' || where === 'layer';

function findInCore(
  { core }: Settings,
  name: string,
  { range, isProduction }: { range: string; isProduction: boolean },
): PackageStatus | undefined {
  const found = findCorePackage(name, core.root);
  if (found === undefined) return undefined;
  const isUnshipped = !isShipped(core, name);
  if (isUnshipped && isProduction) return undefined;
  const { version } = found;
  const isFine = version !== undefined && satisfies(version, range);
  return describe(
    range,
    isFine ? (isUnshipped ? 'core (not shipped)' : 'core') : 'core outside range',
    version,
  );
}

const describe = (
  range: string,
  where: Whereabouts,
  version: string | undefined,
): PackageStatus => ({
  range,
  where,
  ...(version !== undefined && { version }),
});

function summarize(packages: PackageStatus[], otherwise: Whereabouts): Whereabouts {
  if (packages.some(({ where }) => where === 'core outside range')) return 'core outside range';
  const isAll = (...states: Whereabouts[]): boolean =>
    packages.length > 0 && packages.every(({ where }) => states.includes(where));
  if (isAll('core')) return 'core';
  return isAll('core', 'core (not shipped)') ? 'core (not shipped)' : otherwise;
}

/** What is known without a try, or was denied in one; the state of a remembered failure is its next try. */
const isDenial = ({ code, state }: Refusal): boolean =>
  code === 'ANNEX_DENIED' || state === undefined;

const refuseRejected = (rejected: string[], feature: string): Refusal => ({
  code: 'ANNEX_STORE_UNUSABLE',
  reason: rejected.join('; '),
  hint: `annex install ${feature}`,
});
