/** The checks of `annex doctor` of the store, its volume and its layers. */
import { existsSync, lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { refuseUnread } from '../../base/file-error.ts';
import { isLayerPattern } from '../../base/layers.ts';
import { toRealPath } from '../../base/paths.ts';
import { LOCKS, PLAIN, VERSION } from '../../base/store-layout.ts';
import { isUsable } from '../../status/status.ts';
import { findStoreDistrust } from '../../store/access.ts';
import { listNames } from '../../store/directory.ts';
import { checkOwner, describeOwner, parseOwned } from '../../store/owner.ts';
import { UNMAPPED } from '../../store/ownership.ts';
import { findRetirement } from '../../store/retire.ts';
import { listStored } from '../../store/stored.ts';
import { tryWrite } from '../../store/try-write.ts';
import { hasUnmappedOwner } from '../../store/unmapped.ts';
import { findObjectStore, findVolume, type Volume } from '../../store/volume.ts';
import { findStoreRefusal } from '../../store/writable.ts';
import type { Examined, ExaminedFeature } from '../shared/examine.ts';
import { type Finding, ok, problem, refused, warning } from '../shared/findings.ts';
import { plural } from '../shared/format.ts';
import { findNearestDirectory, listKept } from '../shared/volume.ts';
import { needsNoInstall } from './features.ts';
import { checkSpace, nameRoom } from './space.ts';

/** Whether the store is there, trusted and writable, and its volume fits. */
export function checkStore(examined: Examined): Finding[] {
  const { store, layers } = examined.settings;
  const found = layers.flatMap((layer) => checkLayer(examined, layer));
  if (store === undefined) return found;
  try {
    return [...checkPlace(examined, store), ...found];
  } catch (error) {
    return [refused('store.read', refuseUnread(error, store)), ...found];
  }
}

/** @throws errors of the file system, when the store cannot be read */
function checkPlace(examined: Examined, store: string): Finding[] {
  const real = toRealPath(store);
  const nearest = findNearestDirectory(store);
  if (real !== nearest && needsNoInstall(examined)) {
    return [ok('store.write', `${store} does not exist, and no install needs it`)];
  }
  const volume = findVolume(nearest);
  const access = checkAccess(examined, nearest, real === nearest);
  const isPlaceless =
    volume?.kind === 'overlay' &&
    !(real === nearest && areUsable(examined.features)) &&
    access.some(({ level, text }) => level !== 'ok' && isOfPlace(text, real, nearest));
  return [
    ...(isPlaceless ? access.map((each) => placeInside(each, store)) : access),
    ...(volume === undefined || isPlaceless ? [] : checkVolume(examined, volume)),
    // An object store reports numbers without meaning.
    ...(volume !== undefined && findObjectStore(volume) ? [] : checkSpace(examined, nearest)),
    ...(real === nearest ? [...listInstalls(store), ...countRetired(store)] : []),
  ];
}

const areUsable = (features: readonly ExaminedFeature[]): boolean =>
  features.every(({ status }) => isUsable(status));

/** @param nearest the store, or the directory above it in which an install makes it */
function checkAccess(examined: Examined, nearest: string, isThere: boolean): Finding[] {
  const { settings, features } = examined;
  const { store = '' } = settings;
  const stat = lstatSync(nearest);
  const { uid, mode } = stat;
  const user = process.geteuid?.();
  const octal = (mode & 0o7777).toString(8);
  const whose = hasUnmappedOwner(nearest, stat) ? UNMAPPED : `belongs to uid ${uid}`;
  const owner = `${nearest} ${whose}, mode ${octal}; this process is uid ${user}`;
  const found = user === undefined ? [] : [ok('store.owner', owner)];
  const refusal = findStoreRefusal(store) ?? (isThere ? tryWrite(store) : undefined);
  if (refusal !== undefined) {
    if (/EROFS|EACCES/.test(refusal.reason) && needsNoInstall(examined)) {
      return [...found, ok('store.write', `${store} cannot be written, and no install needs it`)];
    }
    const isComplete = areUsable(features);
    const finding = refused('store.write', refusal, isComplete ? 'warning' : 'problem');
    const isForeign = refusal.reason.includes('EACCES') && user !== uid;
    const command = isThere ? 'chown -R' : 'install -d -o';
    const hint = `set fsGroup in Kubernetes, or as root: ${command} ${user} ${store}`;
    const isFull = refusal.reason.includes('ENOSPC');
    const isLayer = isThere && isComplete && /EROFS|EACCES/.test(refusal.reason);
    const remedy = isLayer
      ? `if it is a layer, name a store before it: ANNEX_STORE=STORE:${store}; otherwise let this user write it`
      : isFull
        ? nameRoom(settings)
        : isForeign
          ? hint
          : finding.remedy;
    return [...found, { ...finding, ...(remedy !== undefined && { remedy }) }];
  }
  const text = isThere ? `${store} can be written` : `${store} is made by the first install`;
  return [...found, ok('store.write', text)];
}

/** Kinds of file systems whose contents do not outlive the container. */
const LOST: Record<string, string> = {
  overlay: 'is in the container itself, not on a volume, and is lost with it',
  tmpfs: 'is in memory, and is lost when it is unmounted',
  ramfs: 'is in memory, and is lost when it is unmounted',
};

/** The remedy for a store that is lost with the container: the place of another volume, or a volume at its own. */
function nameVolume(store: string): string {
  const [kept] = listKept();
  if (kept !== undefined) return `set ANNEX_STORE to a path on a volume: ${join(kept, 'annex')}`;
  const parent = dirname(store);
  return `mount a volume on ${parent === '/' ? store : parent}`;
}

/** Whether a store cannot be used because of where it is: a read-only root, or a path that nothing has made. */
const isOfPlace = (text: string, real: string, nearest: string): boolean =>
  text.includes('EROFS') || (text.includes('EACCES') && ![real, dirname(real)].includes(nearest));

/** A store that cannot be used for want of a volume: there is one cause, and one remedy. */
const placeInside = (finding: Finding, store: string): Finding =>
  finding.level === 'ok'
    ? finding
    : { ...finding, text: `${finding.text}; no volume is there`, remedy: nameVolume(store) };

function checkVolume(
  { settings, features }: Examined,
  { point, kind, options }: Volume,
): Finding[] {
  const { store } = settings;
  const found: Finding[] = [];
  const lost = LOST[kind];
  const what = `${store} is on ${kind}, mounted at ${point}`;
  if (lost === undefined || options.has('ro')) found.push(ok('store.volume', what));
  else {
    const text = `${store} ${lost} (${kind} at ${point})`;
    found.push(warning('store.volume', text, nameVolume(store ?? '')));
  }
  const compiled = features.filter(isCompiled);
  if (options.has('noexec') && compiled.length > 0) {
    const names = compiled.map(({ status }) => status.feature).join(', ');
    const text = `${point} is mounted noexec: the compiled code of ${names} does not load from it`;
    found.push(problem('store.noexec', text, 'mount it without noexec'));
  }
  return found;
}

/** Whether a feature may contain compiled code: for this platform, from a script, or in an entry that has it. */
function isCompiled({ lookup, status: { dir } }: ExaminedFeature): boolean {
  const { pin } = lookup.readLock();
  const isBound = pin !== undefined && pin.sidecar.ids.any === undefined;
  const isBuilt = dir !== undefined && basename(dirname(dir)) !== PLAIN;
  return isBound || isBuilt || lookup.feature.scripts.length > 0;
}

/** The installs that run now, or whose holder may have died on another machine. */
function listInstalls(store: string): Finding[] {
  return listNames(store, VERSION, LOCKS)
    .filter((name) => parseOwned(name) === undefined)
    .flatMap((name) => {
      const [owner] = listNames(store, VERSION, LOCKS, name);
      if (owner === undefined || checkOwner(owner) === 'dead') return [];
      const feature = name.replace(/\.lock$/, '');
      return [
        ok('store.installs', `${describeOwner(owner)} installs ${feature}: imports of it wait`),
      ];
    });
}

function countRetired(store: string): Finding[] {
  const retired = listStored(store).filter(({ dir }) => findRetirement(store, dir) !== undefined);
  if (retired.length === 0) return [];
  const text =
    `${plural(retired.length, 'retired entry')}: kept for a day, then removed by the next install or annex prune; ` +
    'until then an install can restore what annex prune has retired';
  return [ok('store.retired', text)];
}

function checkLayer({ settings, features }: Examined, layer: string): Finding[] {
  const id = 'store.layer';
  try {
    const distrust = findStoreDistrust(layer);
    const hint = 'correct ANNEX_STORE, or the owner and mode of that directory';
    if (distrust !== undefined) return [problem(id, distrust, hint)];
  } catch (error) {
    return [refused(id, refuseUnread(error, layer))];
  }
  const isThere = findNearestDirectory(layer) === toRealPath(layer);
  if (isThere && existsSync(join(layer, VERSION))) return [ok(id, `layer ${layer}`)];
  const what = isLayerPattern(layer)
    ? `${dirname(layer)} has no directory that could be a layer`
    : `the layer ${layer} ${isThere ? `has no directory ${VERSION}` : 'does not exist'}`;
  const level = settings.gate === undefined || areUsable(features) ? warning : problem;
  return [level(id, what, 'mount it, fill it with annex bake, or correct ANNEX_STORE')];
}
