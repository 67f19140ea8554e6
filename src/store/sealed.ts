/** Which entries of layers are as trusted as core: root alone can change them, and this process is not root. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  statfsSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { toRealPath } from '../base/paths.ts';
import { remember } from '../base/remember.ts';
import { BARRIER, isWithin, PLAIN } from '../base/store-layout.ts';
import type { Settings } from '../settings/settings.ts';
import { findStoreOf } from './access.ts';
import { type DirHandle, O_PATH, openDir, openIn, useDir } from './directory.ts';

/**
 * File systems on which root is the root of this machine, and modes say who can write, statfs(2): those on a disk are
 * EROFS, ext2 to ext4, F2FS, squashfs and XFS. Elsewhere a server, or the program behind a mount, decides what root owns.
 * Modes show the POSIX ACLs of these, but not the NFSv4 ACLs that some builds of ZFS have.
 */
const ON_DISK = new Set([0xe0f5e1e2, 0xef53, 0xf2f52010, 0x73717368, 0x58465342]);
const TMPFS = 0x01021994;
const OVERLAY = 0x794c7630;

const { O_NOFOLLOW } = constants;

/**
 * Major numbers that name no disk: loop devices, and 0 where a file system has no device, as EROFS on an image file.
 * Whoever owns the image file can change what it shows. All of btrfs has 0.
 */
const NO_DISK = new Set([0, 7]);

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
    return isOfRootAlone(toRealPath(layer), dir) && (isPlain || isSealedTree(dir));
  } catch {
    return false;
  }
}

/**
 * Whether nobody but root can change a regular file, the directories between it and its sealed entry, and the
 * package.json of each of them. All are on the device of the entry: a mount can show any owner. A path that leads through
 * a link to the entry can change, so it is not sealed.
 *
 * @param entry real path
 */
export function isSealedFile(path: string, entry: string): boolean {
  try {
    const stat = lstatSync(path);
    const dir = dirname(path);
    const dev = findDevice(dir);
    if (dev === undefined || !stat.isFile() || !isSealed(stat)) return false;
    return isOn(dev, path, stat) && isSealedWay(dir, entry, dev);
  } catch {
    return false;
  }
}

const isSealedWay = (dir: string, entry: string, dev: number): boolean =>
  isWithin(dir, entry) &&
  findDevice(dir) === dev &&
  (dir === entry || isSealedWay(dirname(dir), entry, dev));

/** The device of a directory that only root can change: once it is, it stays so. Undefined for any other. */
const findDevice = remember((dir: string): number | undefined => {
  const stat = lstatSync(dir);
  const manifest = lstatSync(join(dir, BARRIER), { throwIfNoEntry: false });
  const isOfRoot = stat.isDirectory() && isSealed(stat) && (!manifest || isSealed(manifest));
  return isOfRoot ? stat.dev : undefined;
});

/**
 * Whether root alone can change the entry and the directories above it, up to `/`: whoever can rename one of them can put
 * another directory in the place of the layer. They are opened one by one, so that each is asked about its own owner and
 * file system, whatever is mounted over it meanwhile.
 *
 * @param layer real path
 */
function isOfRootAlone(layer: string, entry: string): boolean {
  const isSound = (dir: DirHandle, names: string[]): boolean => {
    const stat = statSync(dir.at());
    const isAbove = dir.path !== layer && isWithin(layer, dir.path);
    const isOfRoot = isSealed(stat) || (isAbove && isSticky(stat));
    if (!isOfRoot || !isLocal(statfsSync(dir.at()).type, stat)) return false;
    const [name, ...rest] = names;
    return name === undefined || useDir(openIn(dir, name), (below) => isSound(below, rest));
  };
  const names = relative(sep, entry).split(sep);
  return useDir(openDir(sep), (dir) => isSound(dir, names));
}

/** A symbolic link is replaced in its directory, and is not followed. */
function isSealedTree(dir: string, dev: number = lstatSync(dir).dev): boolean {
  const stat = lstatSync(dir);
  if (!isSealed(stat) || stat.dev !== dev) return false;
  return readdirSync(dir, { withFileTypes: true }).every((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return isSealedTree(path, dev);
    if (entry.isSymbolicLink()) return true;
    const found = lstatSync(path);
    return isSealed(found) && isOn(dev, path, found);
  });
}

/**
 * Whether a file is on the device of its directory. In an overlay of several file systems, as podman mounts images, files
 * have the devices of those, or made-up ones, and directories that of the overlay. There the open file is asked about its
 * owner and its file system, because a mount on it may have answered before, and be gone.
 *
 * @see https://docs.kernel.org/filesystems/overlayfs.html#inode-properties
 */
function isOn(dev: number, path: string, stat: Stats): boolean {
  if (stat.dev === dev) return true;
  if (statfsSync(dirname(path)).type !== OVERLAY) return false;
  const file = openSync(path, O_PATH | O_NOFOLLOW);
  try {
    return isSealed(fstatSync(file)) && statfsSync(`/proc/self/fd/${file}`).type === OVERLAY;
  } finally {
    closeSync(file);
  }
}

const isLocal = (type: number, stat: Stats): boolean =>
  type === OVERLAY || type === TMPFS || (ON_DISK.has(type) && !NO_DISK.has(majorOf(stat)));

const isSealed = ({ uid, mode }: Stats): boolean => uid === 0 && (mode & 0o022) === 0;

/** In such a directory nobody can replace what root owns. */
const isSticky = ({ uid, mode }: Stats): boolean => uid === 0 && (mode & 0o1000) !== 0;

/** @see makedev(3) */
const majorOf = ({ dev }: Stats): number => Math.floor(dev / 2 ** 8) % 2 ** 12;

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
