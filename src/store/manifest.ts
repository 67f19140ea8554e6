/** The manifest of an entry: how it is read, and whether it matches the declaration and the core. */
import { join } from 'node:path';
import { findCorePackage } from '../app/core.ts';
import { readJson } from '../base/files.ts';
import { satisfies } from '../base/semver.ts';
import {
  isListOf,
  isOneOf,
  isRecordOf,
  isShallow,
  isShape,
  isShared,
  isText,
  ownOf,
} from '../base/shape.ts';
import { FORMAT, MANIFEST } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { ClosurePackage } from '../plan/identity.ts';
import type { SharedPackage } from '../plan/plan.ts';
import type { Feature } from '../settings/feature.ts';

/** `annex-entry.json`. */
export interface Manifest {
  format: 2;
  feature: string;
  /** Declared ranges at the time of the install. */
  specs: Record<string, string>;
  closure: ClosurePackage[];
  /** Packages of the closure that do not run on this Node, and were left out. */
  skipped?: ClosurePackage[];
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Packages whose install scripts ran. */
  scripts: string[];
  /** ABI directory: `any`, or `node137-linux-x64-glibc`. */
  abi: string;
  /** The annex that wrote it: `annex@1.0.0`. */
  tool: string;
}

/** Bytes of a manifest: 5,000 packages take a little less. An install never writes a longer one. */
export const MAX_MANIFEST = 2 * 2 ** 20;

/** A manifest, or a clause that says why it cannot be used. */
export type ReadManifest =
  | { manifest: Manifest }
  /** It is not as annex wrote it. */
  | { damage: string }
  /** It has another format, or this user may not read it. */
  | { foreign: string };

/** Errors of the file system for something else than the written file. */
const DAMAGES = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EINVAL', 'EFBIG']);
/** Errors of the file system for the file of another user. */
const DENIALS = new Set(['EACCES', 'EPERM']);

const isPackage = isShape({ path: isText, name: isText, version: isText }, { integrity: isText });

const isManifest = isShape(
  {
    format: isOneOf([FORMAT]),
    feature: isText,
    specs: isRecordOf(isText),
    closure: isListOf(isPackage),
    shared: isShared,
    private: isListOf(isText),
    scripts: isListOf(isText),
    abi: isText,
    tool: isText,
  },
  { skipped: isListOf(isPackage) },
);

/**
 * Reads the manifest of an entry.
 *
 * @throws errors of the file system that say nothing about the manifest
 */
export function readManifest(dir: string): ReadManifest {
  try {
    const value = readJson(join(dir, MANIFEST), MAX_MANIFEST);
    if (isManifest(value) && isShallow(value)) return { manifest: value as Manifest };
    const { format } = (value ?? {}) as { format?: unknown };
    return isOtherFormat(format)
      ? { foreign: `its format is ${format}, and this annex reads ${FORMAT}` }
      : { damage: `${MANIFEST} is not as annex wrote it` };
  } catch (error) {
    if (error instanceof SyntaxError) return { damage: `${MANIFEST} does not parse as JSON` };
    const code = codeOf(error) ?? '';
    if (DAMAGES.has(code)) return { damage: `${MANIFEST} cannot be read (${code})` };
    if (DENIALS.has(code)) return { foreign: `its manifest cannot be read (${code})` };
    throw error;
  }
}

const isOtherFormat = (format: unknown): format is number =>
  Number.isSafeInteger(format) && Number(format) > 0 && format !== FORMAT;

/** The manifest of an entry; undefined unless it is whole. Throws as `readManifest` does. */
export function readEntryManifest(dir: string): Manifest | undefined {
  const read = readManifest(dir);
  return 'manifest' in read ? read.manifest : undefined;
}

/** Versions of the declared packages in an entry. */
export function listVersions(
  manifest: Manifest,
  feature: Pick<Feature, 'packages'>,
): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const { path, name, version } of manifest.closure) {
    if (Object.hasOwn(feature.packages, name) && path === `node_modules/${name}`)
      versions[name] = version;
  }
  return versions;
}

/** Returns a clause when an entry no longer matches the declaration, or the packages of the core. */
export const findMismatch = (
  manifest: Manifest,
  feature: Feature,
  root: string,
): string | undefined =>
  findDeclaredMismatch(manifest, feature) ?? findSharedMismatch(manifest, feature, root);

function findDeclaredMismatch(manifest: Manifest, feature: Feature): string | undefined {
  const versions = listVersions(manifest, feature);
  for (const [name, range] of Object.entries(feature.packages)) {
    const version = ownOf(versions, name);
    // The core ships one of several declared packages.
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
    const shipped = findCorePackage(name, root)?.version;
    const declared = ownOf(packages, name);
    if (shipped === version && declared === ownOf(manifest.specs, name)) continue;
    const wanted = declared === undefined ? ranges : [...ranges, declared];
    if (shipped === undefined || !wanted.every((range) => satisfies(shipped, range))) {
      return `it takes ${name} ${wanted.join(' and ')} from core, which has ${shipped ?? 'none'}`;
    }
  }
  return undefined;
}
