/** Places for a store on this machine, and the free space of a volume. */
import { accessSync, constants, lstatSync, statfsSync, statSync } from 'node:fs';
import { listAncestors, toRealPath } from '../../base/paths.ts';
import { isPathError } from '../../store/access.ts';
import { findObjectStore, listVolumes } from '../../store/volume.ts';

/** File systems on a disk of this machine or of another one. */
const KEPT = /^(?:ext[234]|xfs|btrfs|zfs|f2fs|jfs|nfs4?|cifs|ceph|9p|virtiofs|fuse.*)$/;

/** Directories of the system: a volume there has another purpose. */
const SYSTEM = /^\/(?:$|(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|snap|sys|usr)(?:\/|$))/;

/** Directories on which a volume is mounted that this user can write, and that outlives the container. */
export const listKept = (): string[] =>
  listVolumes()
    .filter((volume) => KEPT.test(volume.kind) && findObjectStore(volume) === undefined)
    .filter(({ point, options }) => !options.has('ro') && !SYSTEM.test(point))
    .map(({ point }) => point)
    .filter(isWritableDirectory);

/** False also where the file system does not answer, as when the program behind a FUSE mount has ended. */
function isWritableDirectory(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * A directory, or the nearest one above it that exists: an install makes the others. One whose file system does not
 * answer exists.
 */
export const findNearestDirectory = (path: string): string =>
  listAncestors(toRealPath(path)).find(canReach) ?? '/';

/** False also for a path that this user cannot reach. */
function canReach(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return !isPathError(error);
  }
}

/** Bytes and files that can still be written on the volume of a path; undefined where it is not known. */
export function measureSpace(path: string): { bytes: number; files: number } | undefined {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path);
    // btrfs and network file systems count no files.
    return { bytes: bavail * bsize, files: files === 0 ? Number.POSITIVE_INFINITY : ffree };
  } catch {
    return undefined;
  }
}
