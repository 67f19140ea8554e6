/** Finds entries that are valid and whole; what one thread or installer has verified is not verified again. */
import { existsSync } from 'node:fs';
import { findBlockedRefusal } from '../app/blocked.ts';
import type { Lookup } from '../app/lookup.ts';
import { readAbi } from '../base/abi.ts';
import { refuseUnread } from '../base/file-error.ts';
import { canWatchLoads } from '../base/load-hooks.ts';
import { isTransient } from '../base/thrown.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import type { Entry } from './entry.ts';
import { type Damaged, type FoundEntry, findAnchor, findEntry } from './entry.ts';
import type { Manifest } from './manifest.ts';
import { readEntryManifest } from './manifest.ts';
import { findMisplaced } from './place.ts';
import {
  type Comparison,
  type Contents,
  type Depth,
  describeDifference,
  findDifferences,
  findForgery,
  readExpected,
} from './verify.ts';

/** Why an entry is not used: it is damaged, as one clause says, or it must not be used whatever it holds. */
export type Unfit = { damage: string } | { refusal: Refusal };

/** Looks for whole entries. */
export interface Finder {
  /** As findEntry, passing over what is damaged. */
  find: (lookup: Lookup) => FoundEntry;
  /** Takes an entry for whole: its files were verified when they were written. */
  trust: (dir: string) => void;
  /**
   * Judges and verifies any entry, also one that is reached by its path alone, unless that was done.
   *
   * @param dir its directory, a real path
   */
  meet: (dir: string) => Unfit | undefined;
  /** What has turned out to be damaged: directory to one clause. */
  damages: Map<string, string>;
  /**
   * The files of any entry, also one that was reached by its path alone.
   *
   * @param dir its directory
   * @returns what is wrong with its listing, as one clause
   */
  expect: (dir: string) => Contents | string;
  /**
   * The manifest of any entry, read and checked once: what changes on the volume afterwards does not
   * count. Undefined when it cannot be read, or is not the one that the lock pins.
   *
   * @param dir its directory, a real path
   */
  findManifest: (dir: string) => Manifest | undefined;
  /** Takes over an entry that another thread of this process found and verified. */
  adopt: (entry: Entry) => void;
}

/**
 * @param depth how much of an entry is looked at when it is first found; undefined: nothing
 * @param onDamage told once of every entry that is damaged
 */
export function createFinder(
  settings: Settings,
  depth: Depth | undefined,
  onDamage?: (damaged: Damaged) => void,
): Finder {
  const isWatched = isVerifiedAtLoad(settings);
  const damages = new Map<string, string>();
  const expected = new Map<string, Contents>();
  const manifests = new Map<string, Manifest>();
  const whole = new Set<string>();
  const told = new Set<string>();
  const find = (lookup: Lookup): FoundEntry => {
    for (;;) {
      const found = findEntry(lookup, readAbi(), { damages });
      const { entry } = found;
      for (const damaged of found.damaged) {
        if (told.has(damaged.dir)) continue;
        told.add(damaged.dir);
        onDamage?.(damaged);
      }
      if (entry === undefined) return found;
      const { dir, manifest } = entry;
      if (depth === undefined || whole.has(dir)) return keep(found, entry);
      try {
        const contents = readExpected(dir, manifest, lookup.readLock().pin?.sidecar);
        if (verify(dir, contents, depth) === undefined) return keep(found, entry);
      } catch (error) {
        if (!isTransient(error)) throw error;
        const { rejected, damaged } = found;
        return { rejected, damaged, unread: refuseUnread(error, dir) };
      }
    }
  };
  const keep = (found: FoundEntry, { dir, manifest }: Entry): FoundEntry => {
    if (!manifests.has(dir)) manifests.set(dir, manifest);
    whole.add(dir);
    return found;
  };
  const findManifest = (dir: string): Manifest | undefined => {
    const known = manifests.get(dir);
    if (known !== undefined) return known;
    const anchor = findAnchor(settings, dir);
    if (anchor === undefined) return undefined;
    const manifest = readEntryManifest(dir);
    const sidecar = anchor.readLock().pin?.sidecar;
    const isForged = manifest && sidecar && findForgery(dir, manifest, sidecar) !== undefined;
    if (manifest === undefined || isForged) return undefined;
    manifests.set(dir, manifest);
    return manifest;
  };
  const verify = (dir: string, contents: Contents | string, how: Depth): string | undefined => {
    const damage =
      typeof contents === 'string'
        ? contents
        : findDamage(dir, contents, { depth: how, isWatched });
    if (damage !== undefined) {
      // One that was removed meanwhile may be installed again, in the same place.
      if (existsSync(dir)) damages.set(dir, damage);
      return damage;
    }
    if (typeof contents !== 'string') expected.set(dir, contents);
    whole.add(dir);
    return undefined;
  };
  const meet = (dir: string): Unfit | undefined => {
    if (whole.has(dir)) return undefined;
    const misplaced = findMisplaced(settings, dir);
    if (misplaced !== undefined) return { refusal: misplaced };
    const manifest = findManifest(dir);
    const refusal = manifest && findBlocked(dir, manifest);
    if (refusal !== undefined) return { refusal };
    const damage = damages.get(dir) ?? check(dir, manifest);
    return damage === undefined ? undefined : { damage };
  };
  const findBlocked = (dir: string, { closure }: Manifest): Refusal | undefined => {
    const anchor = findAnchor(settings, dir);
    return anchor && findBlockedRefusal(anchor, closure);
  };
  const check = (dir: string, manifest: Manifest | undefined): string | undefined => {
    if (depth !== undefined) return verify(dir, expect(dir), depth);
    if (manifest === undefined) return UNREADABLE;
    whole.add(dir);
    return undefined;
  };
  const expect = (dir: string): Contents | string => {
    const known = expected.get(dir);
    if (known !== undefined) return known;
    const manifest = findManifest(dir);
    if (manifest === undefined) return UNREADABLE;
    const contents = readExpected(
      dir,
      manifest,
      findAnchor(settings, dir)?.readLock().pin?.sidecar,
    );
    if (typeof contents !== 'string') expected.set(dir, contents);
    return contents;
  };
  const adopt = ({ dir, manifest }: Entry): void => {
    whole.add(dir);
    if (!manifests.has(dir)) manifests.set(dir, manifest);
  };
  return {
    find,
    trust: (dir) => {
      damages.delete(dir);
      whole.add(dir);
    },
    meet,
    damages,
    expect,
    findManifest,
    adopt,
  };
}

const UNREADABLE = 'its manifest cannot be read, or is not what was locked';

function findDamage(dir: string, contents: Contents, comparison: Comparison): string | undefined {
  const [first] = findDifferences(dir, contents, { ...comparison, most: 1 });
  return first && describeDifference(first);
}

/** Whether the files of entries are verified as they are loaded. */
export const isVerifiedAtLoad = ({ verify }: Settings): boolean =>
  verify === 'load' && canWatchLoads(process.versions.node);
