/** Finds entries that are valid and whole; what one thread or installer has verified is not verified again. */
import { readAbi } from '../runtime.ts';
import type { Entry, Feature, Settings } from '../types.ts';
import { type Damaged, type FoundEntry, findEntry, findSidecar } from './entry.ts';
import { readEntryManifest } from './manifest.ts';
import {
  type Contents,
  type Depth,
  describeDifference,
  findDifferences,
  readExpected,
} from './verify.ts';

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
  expect: (dir: string) => Contents | string;
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
  const expected = new Map<string, Contents>();
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
    const contents = readExpected(dir, manifest, sidecar);
    if (typeof contents === 'string') return contents;
    const [first] = findDifferences(dir, contents.files, how, 1);
    if (first !== undefined) return describeDifference(first);
    expected.set(dir, contents);
    whole.add(dir);
    return undefined;
  };
  const expect = (dir: string): Contents | string => {
    const known = expected.get(dir);
    if (known !== undefined) return known;
    const manifest = readEntryManifest(dir);
    if (manifest === undefined) return 'its manifest cannot be read';
    const contents = readExpected(dir, manifest, findSidecar(settings, dir));
    if (typeof contents !== 'string') expected.set(dir, contents);
    return contents;
  };
  return { find, trust: (dir) => whole.add(dir), damages, expect };
}
