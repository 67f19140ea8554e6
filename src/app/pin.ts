/** The lock of a feature in the core: a real npm project, and beside it what npm's formats cannot say. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../base/digest.ts';
import { listDirectory, pathExists, readJson, readText } from '../base/files.ts';
import { isCount, isListOf, isRecordOf, isShape, isShared, isText } from '../base/shape.ts';
import { FORMAT } from '../base/store-layout.ts';
import { codeOf, isTransient } from '../base/thrown.ts';
import type { SharedPackage } from '../plan/plan.ts';
import type { Feature } from '../settings/feature.ts';

/** What a lock records of a package: enough to limit every read before it happens. */
export interface PackageRecord {
  /** Bytes of the tarball. */
  size: number;
  /** sha256 of the listing of its files, in hex digits. */
  listing: string;
  /** Bytes of that listing. */
  listed: number;
  /** Where a registry that is not the public one keeps the tarball; relative to it, without a host. */
  place?: string;
}

/** `annex.json` beside a package.json and a package-lock.json. */
export interface Sidecar {
  format: 2;
  feature: string;
  /** The declared ranges that were locked. */
  specs: Record<string, string>;
  scripts: string[];
  platforms: string[];
  /** What is taken from core, and core's version then. */
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Names that are not shared because a package's `imports` leads to them past every hook. */
  unshared: string[];
  /** The id of the entry, by platform; `any` when it is the same on all of them. */
  ids: Record<string, string>;
  /** By the path of the package. */
  packages: Record<string, PackageRecord>;
  /** sha256 of the two files beside it. */
  digests: { 'package.json': string; 'package-lock.json': string };
}

/** A lock that was read and belongs to the declaration as it is now. */
export interface Pin {
  dir: string;
  sidecar: Sidecar;
  /** Text of the package-lock. */
  lock: string;
}

/** Why the lock of a feature cannot be used, as one clause that names the file. */
export interface NoPin {
  problem: string;
  /** What kept it from being read, when that says nothing about the lock. */
  error?: unknown;
}

/** More than any of the three files holds, bytes. */
export const MOST_LOCK = 32 * 2 ** 20;

/** Names of the files of a lock, in the order in which they are replaced: a new lock is seen at once. */
export const LOCK_FILES = ['annex.json', 'package.json', 'package-lock.json'] as const;

/** Where the locks of all features are. */
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
 */
export function readPin(root: string, feature: Feature): Pin | NoPin | undefined {
  const dir = join(lockRoot(root), feature.slug);
  const path = join(dir, 'annex.json');
  try {
    if (!pathExists(dir)) return undefined;
    const sidecar = readJson(path, MOST_LOCK, 'follow') as Sidecar | null;
    if (sidecar?.format !== FORMAT) {
      const format = JSON.stringify(sidecar?.format);
      return {
        problem: `${path} is of format ${format}, and this annex reads ${FORMAT}: lock it again`,
      };
    }
    const wrong = findWrong(sidecar, feature);
    if (wrong !== undefined) return { problem: `${path} ${wrong}` };
    const [lock = ''] = (['package-lock.json', 'package.json'] as const).map((name) => {
      const text = readText(join(dir, name), MOST_LOCK, 'follow');
      if (digest(text) === sidecar.digests[name]) return text;
      throw new Error(`${join(dir, name)} is not the file that annex wrote: its digest differs`);
    });
    return { dir, sidecar, lock };
  } catch (error) {
    return { problem: describe(error, path), ...(isTransient(error) && { error }) };
  }
}

function describe(error: unknown, path: string): string {
  if (error instanceof SyntaxError) return `${path} does not parse as JSON`;
  const { path: missing = path } = error as { path?: string };
  const code = codeOf(error);
  return code === undefined ? (error as Error).message : `${missing} cannot be read: ${code}`;
}

function findWrong(sidecar: Sidecar, feature: Feature): string | undefined {
  if (!isWhole(sidecar)) return 'is not as annex wrote it';
  const { specs, scripts } = sidecar;
  const names = new Set([...Object.keys(specs), ...Object.keys(feature.packages)]);
  for (const name of names) {
    if (specs[name] !== feature.packages[name]) {
      const [locked = 'nothing', declared = 'nothing'] = [specs[name], feature.packages[name]];
      return `locks ${name} for ${locked}, and ${declared} is declared`;
    }
  }
  if (scripts.join() === feature.scripts.join()) return undefined;
  return `locks scripts of ${scripts.join(', ') || 'none'}, and ${feature.scripts.join(', ') || 'none'} are declared`;
}

const isTexts = isRecordOf(isText);

const isWhole = isShape({
  specs: isTexts,
  ids: isTexts,
  digests: isTexts,
  packages: isRecordOf(
    isShape({ size: isCount, listing: isText, listed: isCount }, { place: isText }),
  ),
  shared: isShared,
  scripts: isListOf(isText),
  platforms: isListOf(isText),
  private: isListOf(isText),
  unshared: isListOf(isText),
});

/** The id that a locked entry has on a platform; undefined when it is not locked for that one. */
export const pinnedId = ({ ids }: Sidecar, platform: string): string | undefined =>
  ids.any ?? ids[platform];
