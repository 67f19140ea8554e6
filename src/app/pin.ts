/** Reads the lock of a feature in the core: an npm project, and a sidecar for what npm's formats cannot express. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../base/digest.ts';
import { AnnexError, toRefusal } from '../base/error.ts';
import { refuseUnread } from '../base/file-error.ts';
import { listDirectory, pathExists, readJson, readText } from '../base/files.ts';
import {
  isCount,
  isListOf,
  isProvenance,
  isRecordOf,
  isRepository,
  isShape,
  isShared,
  isText,
} from '../base/shape.ts';
import { FORMAT } from '../base/store-layout.ts';
import { codeOf, isTransient, messageOf } from '../base/thrown.ts';
import type { SharedPackage } from '../plan/plan.ts';
import type { Feature } from '../settings/feature.ts';
import type { Refusal } from '../types.ts';

/** The source that a package was built from. */
export interface Provenance {
  /** An https address. */
  repository: string;
  /** Digest in hex digits. */
  commit: string;
}

/** The source of a version that was locked before. */
export interface Former {
  version: string;
  repository: string;
}

/** The record of a package in a lock. It limits the size of every read. */
export interface PackageRecord {
  /** Bytes of the tarball. */
  size: number;
  /** sha256 of the listing of its files, in hex digits. */
  listing: string;
  /** Bytes of that listing. */
  listed: number;
  /** Path of the tarball on a registry other than the public one, relative to it and without a host. */
  place?: string;
  /** The registry's signature, where `annex audit signatures` verified one. */
  signature?: { keyid: string; sig: string };
  /** What it was built from, where `annex audit signatures` verified its provenance. */
  provenance?: Provenance;
  /** What a version was built from that was locked before, until this one is known to be of the same repository. */
  formerly?: Former;
}

/** When the content of a lock last changed, and what wrote it. */
export interface Made {
  /** ISO format, in seconds. */
  date: string;
  /** Version of annex. */
  annex: string;
  /** Version of npm. */
  npm: string;
}

/** `annex.json` beside a package.json and a package-lock.json. */
export interface Sidecar {
  format: 2;
  feature: string;
  /** The declared ranges that were locked. */
  specs: Record<string, string>;
  scripts: string[];
  platforms: string[];
  /** Packages that the entry shares with the core, and the core's version when it was locked. */
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Names that are not shared: the `imports` of a package targets them, which no hook sees. */
  unshared: string[];
  /** The id of the entry, by platform; `any` when it is the same on all of them. */
  ids: Record<string, string>;
  /** By the path of the package. */
  packages: Record<string, PackageRecord>;
  /** sha256 of the two files beside it. */
  digests: { 'package.json': string; 'package-lock.json': string };
  /** Absent in locks from before there was this field. It decides nothing. */
  made?: Made;
}

/** A valid lock that agrees with the declaration. */
export interface Pin {
  dir: string;
  sidecar: Sidecar;
  /**
   * Reads the text of the package-lock; later calls return the same text. An entry is used without it.
   *
   * @throws AnnexError when it or the package.json is not the file that annex wrote, or cannot be read
   */
  readPackageLock: () => string;
}

/** Bytes that one of the three files may have. */
export const MAX_LOCK = 32 * 2 ** 20;

/** Files of a lock, in the order in which they are replaced: readers never combine an old and a new one. */
export const LOCK_FILES = ['annex.json', 'package.json', 'package-lock.json'] as const;

/** The directory of all locks. */
export const lockRoot = (root: string): string => join(root, 'annex');

/**
 * Lists the slugs of the features that are locked in a core. Other directories below `annex/` are ignored.
 *
 * @throws errors of the file system that leave open what is locked
 */
export function listLocks(root: string): string[] {
  const dir = lockRoot(root);
  const slugs = listDirectory(dir).map(({ name }) => name);
  return slugs.filter((slug) => existsSync(join(dir, slug, 'annex.json')));
}

/**
 * Reads the lock of a feature.
 *
 * @param root the core
 * @returns undefined when the feature is not locked
 * @throws AnnexError when the lock is invalid, or cannot be read
 */
export function readPin(root: string, feature: Feature): Pin | undefined {
  const dir = join(lockRoot(root), feature.slug);
  const path = join(dir, 'annex.json');
  const refuse = (error: unknown): AnnexError => {
    if (isTransient(error)) return new AnnexError(refuseUnread(error, lockRoot(root)));
    const reason = describeReadError(error, path);
    return new AnnexError(toRefusal(error, () => refuseLock(reason, feature)));
  };
  const attempt = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw refuse(error);
    }
  };
  return attempt(() => {
    if (!pathExists(dir)) return undefined;
    const sidecar = readSidecar(path, feature);
    let lock: string | undefined;
    const readPackageLock = () => {
      lock ??= attempt(() => readProject(dir, sidecar, feature));
      return lock;
    };
    return { dir, sidecar, readPackageLock };
  });
}

function readSidecar(path: string, feature: Feature): Sidecar {
  const sidecar = readJson(path, MAX_LOCK, 'follow') as Sidecar | null;
  const problem = findProblem(sidecar, feature);
  if (problem !== undefined) throw new AnnexError(refuseLock(`${path} ${problem}`, feature));
  return sidecar as Sidecar;
}

/** Reads both files of the npm project, and returns the text of the package-lock. */
function readProject(dir: string, { digests }: Sidecar, feature: Feature): string {
  const [lock = ''] = (['package-lock.json', 'package.json'] as const).map((name) => {
    const text = readText(join(dir, name), MAX_LOCK, 'follow');
    if (digest(text) === digests[name]) return text;
    const reason = `${join(dir, name)} is not the file that annex wrote: its digest differs`;
    throw new AnnexError(refuseLock(reason, feature));
  });
  return lock;
}

/** The refusal for an invalid lock. */
export const refuseLock = (reason: string, { name }: Pick<Feature, 'name'>): Refusal => ({
  code: 'ANNEX_INVALID_CONFIG',
  reason,
  hint: `lock it again: npx annex lock ${name}`,
});

function describeReadError(error: unknown, path: string): string {
  if (error instanceof SyntaxError) return `${path} does not parse as JSON`;
  const { path: file = path } = error as { path?: string };
  return `${file} cannot be read: ${codeOf(error) ?? messageOf(error)}`;
}

/** Why a sidecar is invalid, as a clause after its path. */
function findProblem(sidecar: Sidecar | null, feature: Feature): string | undefined {
  if (sidecar?.format !== FORMAT) {
    return `is of format ${JSON.stringify(sidecar?.format)}, and this annex reads ${FORMAT}: lock it again`;
  }
  if (!isWhole(sidecar)) return 'is not as annex wrote it';
  if (sidecar.feature !== feature.name) return `is the lock of ${sidecar.feature}`;
  const { specs, scripts } = sidecar;
  const names = new Set([...Object.keys(specs), ...Object.keys(feature.packages)]);
  for (const name of names) {
    if (specs[name] === feature.packages[name]) continue;
    const [locked = 'nothing', declared = 'nothing'] = [specs[name], feature.packages[name]];
    return `locks ${name} for ${locked}, and ${declared} is declared`;
  }
  if (scripts.join() === feature.scripts.join()) return undefined;
  return `locks scripts of ${scripts.join(', ') || 'none'}, and ${feature.scripts.join(', ') || 'none'} are declared`;
}

const isTexts = isRecordOf(isText);

const isWhole = isShape(
  {
    feature: isText,
    specs: isTexts,
    ids: isTexts,
    digests: isShape({ 'package.json': isText, 'package-lock.json': isText }),
    packages: isRecordOf(
      isShape(
        { size: isCount, listing: isText, listed: isCount },
        {
          place: isText,
          signature: isShape({ keyid: isText, sig: isText }),
          provenance: isProvenance,
          formerly: isShape({ version: isText, repository: isRepository }),
        },
      ),
    ),
    shared: isShared,
    scripts: isListOf(isText),
    platforms: isListOf(isText),
    private: isListOf(isText),
    unshared: isListOf(isText),
  },
  { made: isShape({ date: isText, annex: isText, npm: isText }) },
);

/** The id of the locked entry on a platform; undefined when the lock does not cover the platform. */
export const pinnedId = ({ ids }: Sidecar, platform: string): string | undefined =>
  ids.any ?? ids[platform];
