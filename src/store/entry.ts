/** Finding the entry of a feature in the stores, and judging whether it may be used. */
import { basename } from 'node:path';
import { findBlockedRefusal } from '../app/blocked.ts';
import { createLookup, findDeclarationRefusal, type Lookup } from '../app/lookup.ts';
import { pinnedId } from '../app/pin.ts';
import { refuseUnread } from '../base/file-error.ts';
import { platformOf } from '../base/platform.ts';
import { compareVersions } from '../base/semver.ts';
import { PLAIN, parseEntryName } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Feature } from '../settings/feature.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { findStoreDistrust } from './access.ts';
import { type Candidates, listCandidates } from './candidates.ts';
import { findMisfit, listVersions } from './fit.ts';
import { type Manifest, readEntryManifest, readManifest } from './manifest.ts';
import { ABOUT_ENTRY, judgePlace, listStores } from './place.ts';
import { findRetirement } from './retirement.ts';
import { findForgery } from './verify.ts';

/** A published entry that may be used by this process. */
export interface Entry {
  feature: string;
  /** Real path of the entry's directory. */
  dir: string;
  /** Whether it stands in a layer, not in the store. */
  isLayer: boolean;
  manifest: Manifest;
}

/** What a search found: the entry to use, or why those that stand there were passed over. */
export interface FoundEntry {
  entry?: Entry;
  /** One clause for each candidate that is not valid. */
  rejected: string[];
  /** Those of them that are damaged. */
  damaged: Damaged[];
  /** A candidate would do, but that it holds what is blocked. */
  blocked?: Refusal;
  /** A store or a candidate could not be read: whether there is an entry is not known, and no install may start. */
  unread?: Refusal;
}

/** An entry that is not what was published. */
export interface Damaged {
  dir: string;
  isLayer: boolean;
  /** One clause about a file of it. */
  damage: string;
}

/** What is known of the stores from looks before. */
export interface Known {
  /** What has turned out not to be whole: directory to what is damaged. */
  damages?: ReadonlyMap<string, string> | undefined;
  /** Names in directories that were read, for who looks for many features at once; filled here. */
  names?: Map<string, string[]> | undefined;
}

/**
 * The valid entry of a feature: the first store that has one; there, the highest version. Anything
 * wrong with a candidate makes it a miss, never a crash. An error of the file system that does not
 * say that something is absent, damaged or another user's is no miss: see `unread`.
 *
 * @param abi our ABI's directory; entries of plain JavaScript are looked for besides
 */
export function findEntry(lookup: Lookup, abi: string, { damages, names }: Known = {}): FoundEntry {
  const { settings, feature } = lookup;
  const rejected: string[] = [];
  const damaged: Damaged[] = [];
  if (findDeclarationRefusal(lookup) !== undefined) return { rejected, damaged };
  const { slug } = feature;
  const { pin } = lookup.readLock();
  // A lock for other platforms pins nothing that would do.
  const pinned = pin && (pinnedId(pin.sidecar, platformOf(abi)) ?? '');
  let blocked: Refusal | undefined;
  let unread: Refusal | undefined;
  const onUnread = (error: unknown, path: string): void => {
    unread ??= refuseUnread(error, path);
  };
  const abis = [abi, PLAIN];
  for (const root of listStores(settings)) {
    const listed = listCandidates({ root, abis, slug, pinned, rejected, onUnread, names });
    // Of one id all are the same; else the highest version comes first.
    for (const path of pinned === undefined ? rank([...listed], root, feature, onUnread) : listed) {
      const id = parseEntryName(basename(path))?.id;
      const judged: Judged =
        pinned === undefined || pinned === id
          ? judge({ lookup, root, path, damages })
          : { rejected: `${path} is not what the lock pins` };
      if ('entry' in judged) return { entry: judged.entry, rejected, damaged };
      if ('error' in judged) {
        onUnread(judged.error, path);
        continue;
      }
      rejected.push(judged.rejected);
      if (judged.damaged !== undefined) damaged.push(judged.damaged);
      blocked ??= judged.blocked;
    }
  }
  return { rejected, damaged, ...(blocked && { blocked }), ...(unread && { unread }) };
}

/** The declared feature that the directory name of an entry names. */
export function findEntryFeature({ declaration }: Settings, dir: string): Feature | undefined {
  const slug = parseEntryName(basename(dir))?.slug;
  return [...declaration.features.values()].find((feature) => feature.slug === slug);
}

/**
 * The lookup of the feature that an entry belongs to, given its directory.
 *
 * @returns undefined for an entry that no feature may use: none has its name, or the lock pins another
 */
export function findAnchor(settings: Settings, dir: string): Lookup | undefined {
  const feature = findEntryFeature(settings, dir);
  if (feature === undefined) return undefined;
  const id = parseEntryName(basename(dir))?.id ?? '';
  const lookup = createLookup(settings, feature);
  const { isLocked, pin } = lookup.readLock();
  const isPinned = pin !== undefined && Object.values(pin.sidecar.ids).includes(id);
  return isPinned || !isLocked ? lookup : undefined;
}

type Judged =
  | { entry: Entry }
  | { rejected: string; damaged?: Damaged; blocked?: Refusal }
  /** It could not be read. */
  | { error: unknown };

interface Judgement {
  lookup: Lookup;
  /** The store that it is in. */
  root: string;
  path: string;
  damages: Known['damages'];
}

function judge({ lookup, root, path, damages }: Judgement): Judged {
  const { settings, feature } = lookup;
  const sidecar = lookup.readLock().pin?.sidecar;
  try {
    const place = judgePlace(root, path);
    if ('refusal' in place) return { rejected: place.refusal.reason };
    const { dir } = place;
    const isLayer = root !== settings.store;
    const reject = (damage: string): Judged => ({
      rejected: `${path} is damaged: ${damage}`,
      damaged: { dir, isLayer, damage },
    });
    const damage = damages?.get(dir);
    if (damage !== undefined) return reject(damage);
    const retired = findRetirement(root, path);
    if (retired !== undefined) return { rejected: `${path} was retired: ${retired}` };
    const read = readManifest(dir);
    if ('foreign' in read) return { rejected: `${path}: ${read.foreign}` };
    if ('damage' in read) return reject(read.damage);
    const { manifest } = read;
    const { core } = settings;
    // The id says nothing of versions in core: what the lock says of them has to fit as well.
    const pinned = sidecar && { ...manifest, specs: sidecar.specs, shared: sidecar.shared };
    const mismatch =
      findMisfit(manifest, feature, core.root) ??
      (pinned && findMisfit(pinned, feature, core.root));
    if (mismatch !== undefined) {
      const forgery = sidecar && findForgery(dir, manifest, sidecar);
      return forgery === undefined ? { rejected: `${path}: ${mismatch}` } : reject(forgery);
    }
    const blocked = findBlockedRefusal(lookup, manifest.closure);
    if (blocked !== undefined) return { rejected: `${path}: ${blocked.reason}`, blocked };
    return { entry: { feature: feature.name, dir, isLayer, manifest } };
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && !ABOUT_ENTRY.has(code)) return { error };
    return { rejected: `${path} cannot be looked at (${code ?? 'unreadable'})` };
  }
}

function readVersions(path: string, feature: Feature): Record<string, string> {
  const manifest = readEntryManifest(path);
  return manifest === undefined ? {} : listVersions(manifest, feature);
}

/**
 * In the order in which they are wanted; none when that order is not known. Nothing is read where
 * another user can write.
 */
function rank(
  paths: string[],
  root: string,
  feature: Feature,
  onUnread: Candidates['onUnread'],
): string[] {
  const names = Object.keys(feature.packages);
  let ranked: { path: string; versions: Record<string, string> }[];
  try {
    if (paths.length < 2 || findStoreDistrust(root) !== undefined) return paths;
    ranked = paths.map((path) => ({ path, versions: readVersions(path, feature) }));
  } catch (error) {
    onUnread(error, root);
    return [];
  }
  ranked.sort((a, b) => {
    for (const name of names) {
      const order = compareVersions(b.versions[name] ?? '0.0.0', a.versions[name] ?? '0.0.0');
      if (order !== 0) return order;
    }
    return a.path < b.path ? -1 : 1;
  });
  return ranked.map(({ path }) => path);
}
