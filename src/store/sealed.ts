/** Which entries of layers are as trusted as core: root alone can change them, and this process is not root. */
import { lstatSync, readdirSync, readFileSync, type Stats, statfsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listAncestors, toRealPath } from '../base/paths.ts';
import { remember } from '../base/remember.ts';
import { BARRIER, isWithin, PLAIN } from '../base/store-layout.ts';
import type { Settings } from '../settings/settings.ts';
import { findDistrustAt, findStoreOf, toLocation } from './access.ts';
import { findDistrust, type User } from './ownership.ts';

/**
 * File systems on which root is the root of this machine, statfs(2): btrfs, EROFS, ext2 to ext4, F2FS, overlay, squashfs,
 * tmpfs, XFS, ZFS. Elsewhere a server, or the program behind a mount, decides what root owns.
 */
const LOCAL = new Set([
  ...[0x9123683e, 0xe0f5e1e2, 0xef53, 0xf2f52010, 0x794c7630],
  ...[0x73717368, 0x01021994, 0x58465342, 0x2fc12fc1],
]);

/**
 * Whether nobody but root can change an entry of a layer, and this process is not root. Who could change such an
 * entry could change core. False for an entry of the store, and where that cannot be determined.
 *
 * Of an entry that is bound to an ABI it checks every file: no load shows which libraries an addon is linked to. Of
 * any other `isSealedFile` checks what is loaded.
 *
 * @param dir real path of the entry
 */
export function isSealedEntry(settings: Settings, dir: string): boolean {
  if (!settings.trustsLayers) return false;
  try {
    const layer = findStoreOf(settings, dir);
    if (layer === undefined || layer === settings.store || !isPlainUser()) return false;
    const isPlain = basename(dirname(dir)) === PLAIN;
    if (!LOCAL.has(statfsSync(dir).type)) return false;
    return isOfRootAlone(layer, dir) && (isPlain || isSealedTree(dir));
  } catch {
    return false;
  }
}

/**
 * Whether nobody but root can change a regular file, the directories between it and its entry, and the package.json
 * of each of them.
 */
export function isSealedFile(path: string, entry: string): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isFile() && isSealed(stat) && isSealedWay(dirname(path), entry);
  } catch {
    return false;
  }
}

const isSealedWay = (dir: string, entry: string): boolean =>
  isWithin(dir, entry) &&
  isSealedDirectory(dir) &&
  (dir === entry || isSealedWay(dirname(dir), entry));

/** Once it is true, only root can change it. */
const isSealedDirectory = remember((dir: string): boolean => {
  const stat = lstatSync(dir);
  const manifest = lstatSync(join(dir, BARRIER), { throwIfNoEntry: false });
  return stat.isDirectory() && isSealed(stat) && (manifest === undefined || isSealed(manifest));
});

const ROOT: User = { uid: 0, groups: [] };

/**
 * Whether root alone can change the entry, the directories above it up to the mount, as for a process of root, and
 * those above the mount: whoever can rename them can put another directory in the place of the layer.
 */
function isOfRootAlone(layer: string, dir: string): boolean {
  const real = toRealPath(layer);
  const above = listAncestors(real).map((path) => toLocation(path, lstatSync(path)));
  const isOfRoot = findDistrust(ROOT, { above }) === undefined;
  return isOfRoot && findDistrustAt(layer, real, dir, ROOT) === undefined;
}

/** A symbolic link is replaced in its directory, and is not followed. */
const isSealedTree = (dir: string): boolean =>
  isSealed(lstatSync(dir)) &&
  readdirSync(dir, { withFileTypes: true }).every((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory()
      ? isSealedTree(path)
      : entry.isSymbolicLink() || isSealed(lstatSync(path));
  });

const isSealed = ({ uid, mode }: Stats): boolean => uid === 0 && (mode & 0o022) === 0;

/**
 * Whether this process is not root, cannot become root again, and holds no capability: with CAP_DAC_OVERRIDE and
 * others it could write to what root owns. Throws where that is unknown, as without /proc.
 *
 * @see capabilities(7), proc_pid_status(5)
 */
function isPlainUser(): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  return /^Uid:(\t[1-9]\d*){4}$/m.test(status) && /^CapPrm:\t0+$/m.test(status);
}
