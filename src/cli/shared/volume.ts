/** The volume that a path is on: its mount, from /proc, and the free space. */
import { accessSync, constants, lstatSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { listAncestors, toRealPath } from '../../base/paths.ts';
import { isWithin } from '../../base/store-layout.ts';
import { isPathError } from '../../store/access.ts';

/** A mounted file system. */
export interface Volume {
  /** Where it is mounted. */
  point: string;
  /** `ext4`, `overlay`, `nfs4` */
  kind: string;
  /** Options of the mount and of the file system: `ro`, `noexec` */
  options: ReadonlySet<string>;
}

/**
 * The volume of a real path; undefined where the system does not tell.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
 */
export function findVolume(path: string): Volume | undefined {
  let found: Volume | undefined;
  for (const volume of listVolumes()) {
    const { point } = volume;
    const isNearer = found === undefined || isWithin(point, found.point);
    // Of several mounts at one place the last one counts.
    if (isWithin(path, point) && isNearer) found = volume;
  }
  return found;
}

/** File systems on a disk of this machine or of another one. */
const KEPT = /^(?:ext[234]|xfs|btrfs|zfs|f2fs|jfs|nfs4?|cifs|ceph|9p|virtiofs|fuse.*)$/;

/** Directories of the system: a volume there has another purpose. */
const SYSTEM = /^\/(?:$|(?:bin|boot|dev|etc|lib\w*|proc|run|sbin|snap|sys|usr)(?:\/|$))/;

/** Directories on which a volume is mounted that this user can write, and that outlives the container. */
export const listKept = (): string[] =>
  listVolumes()
    .filter(
      ({ point, kind, options }) => KEPT.test(kind) && !options.has('ro') && !SYSTEM.test(point),
    )
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

const listVolumes = (): Volume[] =>
  readMounts().flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , point = '', options = ''] = before.split(' ').map(toText);
    const [kind = '', , more = ''] = after.split(' ');
    if (point === '') return [];
    return [{ point, kind, options: new Set([...options.split(','), ...more.split(',')]) }];
  });

/** The mounts of this process; none on other systems than Linux. */
function readMounts(): string[] {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The kernel writes spaces and a few other characters as `\040`. */
const toText = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

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
