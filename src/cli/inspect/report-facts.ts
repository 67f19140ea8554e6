/** Collects the facts of a report from the application, its locks and its stores. Changes nothing. */
import { basename, join } from 'node:path';
import { findCorePackage } from '../../app/core.ts';
import { isShipped } from '../../app/inventory.ts';
import { listBlocked } from '../../app/lookup.ts';
import { readAbi } from '../../base/abi.ts';
import { version } from '../../base/own-files.ts';
import { readPackage } from '../../base/package-json.ts';
import { platformOf } from '../../base/platform.ts';
import { satisfiesWithPrereleases } from '../../base/semver.ts';
import { isTransient } from '../../base/thrown.ts';
import { readLockedPart } from '../../lock/locked.ts';
import type {
  Report,
  ReportedFeature,
  ReportedPackage,
  SharedPackage,
} from '../../report/model.ts';
import { findBlocked } from '../../settings/blocked.ts';
import type { Core, Settings } from '../../settings/settings.ts';
import { type Manifest, readEntryManifest } from '../../store/manifest.ts';
import { type ExaminedFeature, examine } from '../shared/examine.ts';
import { toListed } from '../shared/listed.ts';

/** Fields of a package in a package-lock, or of its package.json. */
interface PackageFields {
  license?: unknown;
  hasInstallScript?: unknown;
}

/** Examines every feature as an import does. */
export function collectReport(settings: Settings): Report {
  const { core, gate } = settings;
  const manifest = readPackage(core.root) ?? {};
  const { features } = examine(settings);
  const reported = features.map(collectFeature);
  return {
    core: {
      name: textOf(manifest.name) ?? basename(core.root),
      ...optional('version', textOf(manifest.version)),
    },
    made: { annex: version, node: process.version, platform: platformOf(readAbi()) },
    ...optional('gate', gate?.reason),
    shared: listShared(core.root, reported),
    features: reported,
    blocked: listBlocked(settings),
  };
}

function collectFeature(examined: ExaminedFeature): ReportedFeature {
  const { lookup, status, damaged } = examined;
  const { feature, settings } = lookup;
  const { pin } = lookup.readLock();
  const { dir, where } = status;
  const entry = dir === undefined ? undefined : readEntry(dir);
  const isInCore = where.startsWith('core');
  const inCore = Object.entries(status.packages).filter(([, one]) => one.where.startsWith('core'));
  const declared = inCore.map(([name, { range }]): [string, string[]] => [name, [range]]);
  const taken = isInCore ? {} : ((entry ?? pin?.sidecar)?.shared ?? {});
  const needed = Object.entries(taken).map(([name, { ranges }]): [string, string[]] => [
    name,
    ranges,
  ]);
  const isVerified = dir !== undefined && settings.verify !== 'off' && !examined.isUnhashed;
  return {
    ...toListed(examined),
    ...(pin && {
      pin: {
        digest: pin.sidecar.digests['package-lock.json'],
        platforms: pin.sidecar.platforms,
      },
    }),
    closure: isInCore ? [] : listClosure(examined, entry),
    shared: [...new Map([...declared, ...needed])]
      .map(([name, ranges]) => ({ name, ranges }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    scripts: feature.scripts,
    ...(isVerified && { verified: pin ? 'lock' : 'listing' }),
    damaged: damaged.map((one) => `${one.dir}: ${one.damage}`),
  };
}

/** The manifest of an entry; undefined if it cannot be read now. */
function readEntry(dir: string): Manifest | undefined {
  try {
    return readEntryManifest(dir);
  } catch (error) {
    if (isTransient(error)) return undefined;
    throw error;
  }
}

/** The packages of the entry. Without one, those of the lock, for all of its platforms. */
function listClosure(
  { lookup, status: { dir = '' } }: ExaminedFeature,
  entry: Manifest | undefined,
): ReportedPackage[] {
  const { feature, settings } = lookup;
  const blocklist = lookup.listBlocked();
  const part = readLockedPart(lookup);
  const locked = 'nodes' in part ? part : undefined;
  return (entry?.closure ?? locked?.nodes ?? []).map(({ path, name, version }) => {
    const fields = locked?.packages[path] ?? readPackage(join(dir, path)) ?? {};
    const record = locked?.pin.sidecar.packages[path];
    const { license, hasInstallScript } = fields as PackageFields;
    const hasScript = hasInstallScript === true || entry?.scripts.includes(name) === true;
    const script = feature.scripts.includes(name) ? 'allowed' : 'not allowed';
    const blocked = findBlocked([{ name, version }], blocklist, satisfiesWithPrereleases);
    return {
      name,
      version,
      path,
      ...optional('license', textOf(license)),
      ...optional('tarball', record?.size),
      ...(record?.signature !== undefined && { isSigned: true }),
      ...optional('provenance', record?.provenance),
      ...optional('formerly', record?.formerly),
      ...(hasScript && { script }),
      ...optional('beside', findShipped(settings.core, name)),
      ...optional('blocked', blocked?.spec),
    };
  });
}

/** The version of a package that core ships. */
const findShipped = (core: Core, name: string): string | undefined =>
  isShipped(core, name) ? findCorePackage(name, core.root)?.version : undefined;

/** Packages of core that features use, by name. */
function listShared(root: string, features: readonly ReportedFeature[]): SharedPackage[] {
  const users = new Map<string, string[]>();
  for (const { feature, shared } of features) {
    for (const { name } of shared) users.set(name, [...(users.get(name) ?? []), feature]);
  }
  return [...users]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, all]) => ({
      name,
      ...optional('version', findCorePackage(name, root)?.version),
      features: all,
    }));
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** A field, unless its value is undefined. */
const optional = <Key extends string, T>(key: Key, value: T | undefined): { [K in Key]?: T } =>
  value === undefined ? {} : ({ [key]: value } as { [K in Key]?: T });
