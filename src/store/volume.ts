/** The volume that a path is on: its mount, from /proc. */
import { readFileSync } from 'node:fs';
import { isWithin } from '../base/store-layout.ts';

/** A mounted file system. */
export interface Volume {
  /** Where it is mounted. */
  point: string;
  /** `ext4`, `overlay`, `nfs4` */
  kind: string;
  /** What is mounted: a device, a server, or a name that a program gives. */
  source: string;
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

/** Every mounted file system, in the order in which they were mounted; none where the system does not tell. */
export const listVolumes = (): Volume[] =>
  readMounts().flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , , point = '', options = ''] = before.split(' ').map(toText);
    const [kind = '', source = '', more = ''] = after.split(' ');
    if (point === '') return [];
    return [{ point, kind, source, options: new Set([...options.split(','), ...more.split(',')]) }];
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

/** Programs that mount object stores: they rename a directory by copying each file, or do not rename it at all. */
const OBJECTS =
  /^(?:s3fs|rclone|gcsfuse|mountpoint-s3|goofys|geesefs|blobfuse2?|ossfs2?|obsfs|cosfs)$/;

/**
 * The program behind a mount, if it is known to mount object stores. It is named by the kind (`fuse.s3fs`), or by the
 * source (`mountpoint-s3`) of a mount of the kind `fuse`.
 */
export function findObjectStore({ kind, source }: Volume): string | undefined {
  if (!kind.startsWith('fuse')) return undefined;
  return [kind.slice('fuse.'.length), source].find((name) => OBJECTS.test(name));
}
