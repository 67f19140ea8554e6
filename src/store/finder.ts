/** Finds entries that are valid and whole; what one thread or installer has verified is not verified again. */
import { readAbi } from '../runtime.ts';
import type { Entry, Feature, Settings } from '../types.ts';
import {
  type Damaged,
  type FoundEntry,
  findEntry,
  findSidecar,
  readEntryManifest,
} from './entry.ts';
import type { Expected } from './listing.ts';
import { type Depth, describeDifference, findDifferences, readExpected } from './verify.ts';

/** Looks for whole entries. */
export interface Finder {
  /** As findEntry, passing over what is damaged. */
  find: (feature: Feature) => FoundEntry;
  /** Takes an entry for whole: its files were verified when they were written. */
  trust: (dir: string) => void;
  /** What has turned out to be damaged: directory to one clause. */
  damages: Map<string, string>;
  /**
   * The files of any entry, also one that was reached by its path alone.
   *
   * @param dir its directory
   * @returns what is wrong with its listing, as one clause
   */
  expect: (dir: string) => Expected | string;
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
  const damages = new Map<string, string>();
  const expected = new Map<string, Expected>();
  const whole = new Set<string>();
  const told = new Set<string>();
  const find = (feature: Feature): FoundEntry => {
    for (;;) {
      const found = findEntry(settings, feature, readAbi(), { damages });
      const { entry } = found;
      for (const damaged of found.damaged) {
        if (told.has(damaged.dir)) continue;
        told.add(damaged.dir);
        onDamage?.(damaged);
      }
      if (entry === undefined || depth === undefined || whole.has(entry.dir)) return found;
      const damage = verify(found, entry, depth);
      if (damage === undefined) return found;
      damages.set(entry.dir, damage);
    }
  };
  const verify = ({ sidecar }: FoundEntry, entry: Entry, how: Depth): string | undefined => {
    const { dir, manifest } = entry;
    const files = readExpected(dir, manifest, sidecar);
    if (typeof files === 'string') return files;
    const [first] = findDifferences(dir, files, how, 1);
    if (first !== undefined) return describeDifference(first);
    expected.set(dir, files);
    whole.add(dir);
    return undefined;
  };
  const expect = (dir: string): Expected | string => {
    const known = expected.get(dir);
    if (known !== undefined) return known;
    const manifest = readEntryManifest(dir);
    if (manifest === undefined) return 'its manifest cannot be read';
    const files = readExpected(dir, manifest, findSidecar(settings, dir));
    if (typeof files !== 'string') expected.set(dir, files);
    return files;
  };
  return { find, trust: (dir) => whole.add(dir), damages, expect };
}
