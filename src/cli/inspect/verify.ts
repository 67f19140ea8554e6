/** annex verify */
import { lstatSync } from 'node:fs';
import { showName } from '../../base/messages.ts';
import { toRealPath } from '../../base/paths.ts';
import { installFeature } from '../../install/install.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { findStoreDistrust, listStores } from '../../store/access.ts';
import { readContents } from '../../store/contents.ts';
import { listRemembered } from '../../store/failures.ts';
import { findAnchor, isVerifiedAtLoad } from '../../store/finder.ts';
import { findRetirement, retire } from '../../store/retire.ts';
import { listStored, type Stored } from '../../store/stored.ts';
import { type Difference, describeDifference, findDifferences } from '../../store/verify.ts';
import { type Command, readSettings, selectFeatures } from '../shared/command.ts';
import { inStores } from '../shared/in-stores.ts';
import { paint } from '../shared/terminal.ts';

/** Result of verifying one entry, as `--json` prints it. */
interface Verified {
  feature: string;
  dir: string;
  /** The store or layer that it is in. */
  store: string;
  /** Whether it was compared with a lock; without one, with its own listing. */
  isAnchored: boolean;
  /** Number of compared files. */
  files: number;
  /** Why it is no valid entry: it is a link, or its manifest or listing is invalid. */
  problem?: string;
  /** Why it was not compared: this annex or this user cannot read its manifest. */
  skipped?: string;
  differences: Difference[];
  /** Added files and directories that cannot change what Node loads. */
  harmless: string[];
  /** Files that install scripts made or changed: no lock lists them. */
  generated: string[];
}

/**
 * Compares every file of every entry, for all ABIs, with the lock. `--repair` retires damaged entries
 * and installs their features again.
 */
export const verify: Command = async ({ args, options, print }) => {
  const settings = readSettings();
  const features = selectFeatures(settings, args);
  const slugs = args.length > 0 ? features.map(({ slug }) => slug) : undefined;
  const verified = inStores(settings, () =>
    listStores(settings).flatMap((store) => verifyStore(settings, store, slugs)),
  );
  const damaged = verified.filter(isDamaged);
  const text = verified.map(describe).join('\n') || 'the stores hold no entry';
  print(text, { entries: verified }, settings);
  const isWhole = verified.every(({ skipped }) => skipped === undefined);
  if (damaged.length === 0) return isWhole ? 0 : 1;
  if (options.repair !== true) return 1;
  return (await repair(settings, damaged, features)) || (isWhole ? 0 : 1);
};

/** Retired entries are skipped: nothing loads them. */
function verifyStore(settings: Settings, store: string, slugs: string[] | undefined): Verified[] {
  return listStored(store)
    .filter(({ slug, dir }) => {
      const isSelected = slugs === undefined || slugs.includes(slug);
      return isSelected && findRetirement(store, dir) === undefined;
    })
    .map((stored) => verifyEntry(settings, store, stored));
}

function verifyEntry(settings: Settings, store: string, stored: Stored): Verified {
  const { dir, slug, manifest, damage, foreign } = stored;
  const sidecar = findAnchor(settings, dir)?.readLock().pin?.sidecar;
  // The directory names the feature. Its manifest may be forged.
  const declared = [...settings.declaration.features.values()].find((one) => one.slug === slug);
  const found: Verified = {
    feature: declared?.name ?? slug,
    dir,
    store,
    isAnchored: sidecar !== undefined,
    files: 0,
    differences: [],
    harmless: [],
    generated: [],
  };
  const isDirectory = lstatSync(dir, { throwIfNoEntry: false })?.isDirectory();
  if (isDirectory === false) return { ...found, problem: 'it is not a directory' };
  if (foreign !== undefined) return { ...found, skipped: foreign };
  if (manifest === undefined) return { ...found, problem: damage ?? 'it has no manifest' };
  const contents = readContents(dir, manifest, sidecar);
  if (typeof contents === 'string') return { ...found, problem: contents };
  const harmless: string[] = [];
  const differences = findDifferences(dir, contents, {
    depth: 'all',
    isWatched: isVerifiedAtLoad(settings),
    onHarmless: (path) => harmless.push(path),
  });
  const { files, generated } = contents;
  return { ...found, files: files.size, differences, harmless, generated };
}

const isDamaged = ({ problem, differences }: Verified): boolean =>
  problem !== undefined || differences.length > 0;

/** Layers stay: the store is searched before them. */
async function repair(
  settings: Settings,
  damaged: Verified[],
  features: Feature[],
): Promise<number> {
  inStores(settings, () => {
    for (const { dir, store, problem, differences } of damaged) {
      if (store !== settings.store || findStoreDistrust(store) !== undefined) continue;
      const reason = problem ?? differences.map(describeDifference)[0] ?? '';
      retire(toRealPath(store), dir, reason);
    }
  });
  const ignored = listRemembered(settings.store ?? '');
  let code = 0;
  for (const feature of features) {
    if (!damaged.some((each) => each.feature === feature.name)) continue;
    const { outcome } = await installFeature(settings, feature, { ignored });
    if (outcome === 'failed') code = 1;
  }
  return code;
}

function describe(verified: Verified): string {
  const { feature, dir, isAnchored, files, differences, harmless, generated } = verified;
  const { problem, skipped } = verified;
  const against = isAnchored ? 'the lock' : 'its own listing, which no lock anchors';
  const state = isDamaged(verified)
    ? paint('red', 'damaged')
    : paint('green', `${files} files match ${against}`);
  if (skipped !== undefined) {
    return `${feature}: ${dir}: ${paint('yellow', 'not compared')}\n  ${skipped}`;
  }
  return [
    `${feature}: ${dir}: ${state}`,
    ...(problem === undefined ? [] : [problem]),
    ...differences.map(describeDifference),
    ...harmless.map((path) => `${showName(path)} was added, and changes nothing that Node loads`),
    ...generated.map((path) => `${showName(path)} is from an install script: not in the lock`),
  ].join('\n  ');
}
