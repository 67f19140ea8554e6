/** Finds and verifies entries for one thread or installer; each entry is verified once. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { createLookup, type Lookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { canWatchLoads } from '../base/load-hooks.ts';
import { parseEntryName } from '../base/store-layout.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { findEntryRefusal } from './access.ts';
import { type Contents, findForgery, readContents } from './contents.ts';
import { type Damaged, type Entry, type FoundEntry, findEntry } from './entry.ts';
import { findFirstUseDifference } from './first-use.ts';
import type { Look } from './look.ts';
import { type Manifest, readEntryManifest } from './manifest.ts';
import { isSealedEntry } from './sealed.ts';
import { type Depth, describeDifference, findDifferences } from './verify.ts';

/**
 * The extent of the comparison when an entry is first used. `natives` is compiled code, programs and, in an entry with an
 * addon, the names of libraries: no load shows these. Of each package.json it is the size. `createTouched` compares the
 * rest when it is touched.
 */
export type FirstUse = Depth | 'natives';

/** Why an entry is not used: a clause on its damage, or a refusal that does not depend on its files. */
export type Unfit = { damage: string } | { refusal: Refusal };

/** Finds and verifies entries. The directory of an entry is a real path. */
export interface Finder {
  /**
   * As `findEntry`, without damaged entries.
   *
   * @param isWhole whether to `scan` an entry before it is returned
   */
  find: (lookup: Lookup, isWhole?: boolean) => FoundEntry;
  /** Judges and verifies an entry that was reached by its path. */
  verify: (dir: string) => Unfit | undefined;
  /**
   * Compares everything in an entry that the load of its files does not compare. A clean result is not kept: it says
   * nothing about later changes.
   *
   * @returns a clause on its damage
   */
  scan: (dir: string) => string | undefined;
  /** Marks an entry as verified: this process has just written it. */
  trust: (dir: string) => void;
  /** Marks an entry as verified by another thread of this process. */
  adopt: (entry: Entry) => void;
  /** Directories of damaged entries to one clause each. */
  damages: Map<string, string>;
  /**
   * Whether an entry is locked, has the locked manifest, and is in a layer that is as trusted as core: its files are not
   * hashed.
   */
  isSealed: (dir: string) => boolean;
  /** What an entry must contain, or a clause on what is wrong with its listing. */
  getContents: (dir: string) => Contents | string;
  /**
   * The manifest of an entry, which is read once: later changes on the volume do not count. Undefined when it
   * cannot be read, or the lock pins another one.
   */
  findManifest: (dir: string) => Manifest | undefined;
}

/** Options of `createFinder`. */
export interface FinderOptions {
  /** Called once for each damaged entry. */
  onDamage?: (damaged: Damaged) => void;
  /** By default each search looks again. */
  look?: Look;
}

/** @param depth what is compared when an entry is first found; undefined: nothing */
export function createFinder(
  settings: Settings,
  depth: FirstUse | undefined,
  { onDamage, look }: FinderOptions = {},
): Finder {
  const isWatched = isVerifiedAtLoad(settings);
  const damages = new Map<string, string>();
  const contents = new Map<string, Contents>();
  const manifests = new Map<string, Manifest>();
  const verified = new Set<string>();
  const sealed = new Map<string, boolean>();
  const reported = new Set<string>();

  const find = (lookup: Lookup, isWhole = false): FoundEntry => {
    const found = findEntry(lookup, readAbi(), {
      damages,
      look,
      compare: (entry) => findFirstDamage(entry, lookup) ?? (isWhole ? scan(entry.dir) : undefined),
    });
    for (const each of found.damaged) {
      if (reported.has(each.dir)) continue;
      reported.add(each.dir);
      onDamage?.(each);
    }
    if (found.entry !== undefined) adopt(found.entry);
    return found;
  };
  const findFirstDamage = ({ dir, manifest }: Entry, lookup: Lookup): string | undefined => {
    const isSound = depth === undefined || verified.has(dir) || isSealed(dir, { manifest, lookup });
    if (isSound) return undefined;
    return compare(dir, readContents(dir, manifest, lookup.readLock().pin?.sidecar), depth);
  };
  const compare = (dir: string, wanted: Contents | string, how: FirstUse): string | undefined => {
    const damage = typeof wanted === 'string' ? wanted : findDamage(dir, wanted, how, isWatched);
    if (damage !== undefined) {
      // An entry that was removed meanwhile may be installed again, in the same place.
      if (existsSync(dir)) damages.set(dir, damage);
      return damage;
    }
    if (typeof wanted !== 'string') contents.set(dir, wanted);
    verified.add(dir);
    return undefined;
  };
  const scan = (dir: string): string | undefined => {
    if (depth !== 'natives' || isSealed(dir)) return damages.get(dir);
    return damages.get(dir) ?? compare(dir, getContents(dir), isWatched ? 'bypass' : 'all');
  };
  const verify = (dir: string): Unfit | undefined => {
    if (verified.has(dir)) return undefined;
    const refusal = findEntryRefusal(settings, dir) ?? findEntryBlock(dir, findManifest(dir));
    if (refusal !== undefined) return { refusal };
    const damage = damages.get(dir) ?? findUnverified(dir);
    return damage === undefined ? undefined : { damage };
  };
  const findEntryBlock = (dir: string, manifest: Manifest | undefined): Refusal | undefined => {
    const anchor = manifest && findAnchor(settings, dir);
    return anchor && findBlockedRefusal(anchor, manifest.closure);
  };
  const findUnverified = (dir: string): string | undefined => {
    if (isSealed(dir)) {
      verified.add(dir);
      return undefined;
    }
    if (depth !== undefined) return compare(dir, getContents(dir), depth);
    if (findManifest(dir) === undefined) return NO_MANIFEST;
    verified.add(dir);
    return undefined;
  };
  const findManifest = (dir: string): Manifest | undefined => {
    const known = manifests.get(dir);
    if (known !== undefined) return known;
    const anchor = findAnchor(settings, dir);
    const manifest = anchor && readEntryManifest(dir);
    if (manifest === undefined) return undefined;
    const sidecar = anchor?.readLock().pin?.sidecar;
    if (sidecar !== undefined && findForgery(dir, manifest, sidecar) !== undefined)
      return undefined;
    manifests.set(dir, manifest);
    return manifest;
  };
  const getContents = (dir: string): Contents | string => {
    const known = contents.get(dir);
    if (known !== undefined) return known;
    const manifest = findManifest(dir);
    if (manifest === undefined) return NO_MANIFEST;
    const wanted = readContents(dir, manifest, findAnchor(settings, dir)?.readLock().pin?.sidecar);
    if (typeof wanted !== 'string') contents.set(dir, wanted);
    return wanted;
  };
  /** Reads the lock only for an entry that root alone can change. */
  const isSealed = (dir: string, from?: { manifest: Manifest; lookup: Lookup }): boolean => {
    const known = sealed.get(dir);
    if (known !== undefined) return known;
    const isRoots = isSealedEntry(settings, dir);
    const lookup = isRoots ? (from?.lookup ?? findAnchor(settings, dir)) : undefined;
    const sidecar = lookup?.readLock().pin?.sidecar;
    const manifest = sidecar && (from?.manifest ?? findManifest(dir));
    const isLocked = sidecar && manifest && findForgery(dir, manifest, sidecar) === undefined;
    sealed.set(dir, isLocked === true);
    return isLocked === true;
  };
  const trust = (dir: string): void => {
    damages.delete(dir);
    verified.add(dir);
  };
  const adopt = ({ dir, manifest }: Entry): void => {
    verified.add(dir);
    if (!manifests.has(dir)) manifests.set(dir, manifest);
  };
  return { find, verify, scan, trust, adopt, damages, isSealed, getContents, findManifest };
}

const NO_MANIFEST = 'its manifest cannot be read, or is not what was locked';

function findDamage(
  dir: string,
  contents: Contents,
  depth: FirstUse,
  isWatched: boolean,
): string | undefined {
  const first =
    depth === 'natives'
      ? findFirstUseDifference(dir, contents)
      : findDifferences(dir, contents, { depth, isWatched, max: 1 })[0];
  return first && describeDifference(first);
}

/** The declared feature that the directory name of an entry names. */
export function findEntryFeature({ declaration }: Settings, dir: string): Feature | undefined {
  const slug = parseEntryName(basename(dir))?.slug;
  return [...declaration.features.values()].find((feature) => feature.slug === slug);
}

/**
 * The lookup of the feature that an entry belongs to.
 *
 * @returns undefined for an entry that no feature may use: none has its name, or the lock pins another one
 */
export function findAnchor(settings: Settings, dir: string): Lookup | undefined {
  const feature = findEntryFeature(settings, dir);
  if (feature === undefined) return undefined;
  const lookup = createLookup(settings, feature);
  const { isLocked, pin } = lookup.readLock();
  const id = parseEntryName(basename(dir))?.id ?? '';
  const isPinned = pin !== undefined && Object.values(pin.sidecar.ids).includes(id);
  return isPinned || !isLocked ? lookup : undefined;
}

/** Whether files of entries are verified when they are loaded. */
export const isVerifiedAtLoad = ({ verify }: Settings): boolean =>
  verify === 'load' && canWatchLoads(process.versions.node);
