/** The volume that a path is on: its mount, from /proc. */
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { listAncestors } from '../base/paths.ts';
import { isWithin } from '../base/store-layout.ts';
import { O_PATH } from './directory.ts';

/** A mounted file system. */
export interface Volume {
  /** Number of the mount. */
  id: string;
  /** Where it is mounted. */
  point: string;
  /** `ext4`, `overlay`, `nfs4` */
  kind: string;
  /** A device, the address of a server, or a name that the program behind the mount chose. */
  source: string;
  /** Options of the mount and of the file system: `ro`, `noexec` */
  options: ReadonlySet<string>;
}

/**
 * The volume of a real path, or of the nearest directory above it that exists; undefined where the system does not
 * tell. The kernel names the mount of an open file: another mount can cover one in the table.
 *
 * @see https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html, proc_pid_fdinfo(5)
 */
export function findVolume(path: string): Volume | undefined {
  const volumes = listVolumes();
  if (volumes.length === 0) return undefined;
  for (const dir of listAncestors(path)) {
    const id = readMountId(dir);
    if (id !== undefined) return volumes.find((volume) => volume.id === id);
  }
  // Without numbers, the nearest one counts, and of several at one place the last.
  const above = volumes.filter(({ point }) => isWithin(path, point));
  return above.sort((a, b) => a.point.length - b.point.length).at(-1);
}

/** Undefined where nothing is, or where the system does not tell. */
function readMountId(path: string): string | undefined {
  try {
    const file = openSync(path, O_PATH | constants.O_NOFOLLOW);
    try {
      return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, 'utf8'))?.[1];
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Every mounted file system, in the order in which they were mounted; none where the system does not tell. */
export const listVolumes = (): Volume[] =>
  readMounts().flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [id = '', , , , point = '', options = ''] = before.split(' ').map(toText);
    const [kind = '', source = '', more = ''] = after.split(' ');
    if (point === '') return [];
    const all = new Set([...options.split(','), ...more.split(',')]);
    return [{ id, point, kind, source, options: all }];
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
  const program = kind === 'fuse' ? source : /^fuse\.(.+)$/.exec(kind)?.[1];
  return program !== undefined && OBJECTS.test(program) ? program : undefined;
}
