/** Owners whom the user namespace of this process does not map. The kernel shows all of them as one id. */
import { closeSync, constants, openSync, readFileSync, type Stats } from 'node:fs';

const { O_RDONLY, O_NOATIME = 0, O_NOFOLLOW, O_NONBLOCK = 0 } = constants;

/** The line of a namespace that maps every id. */
const MAPS_ALL = /^\s*0\s+0\s+4294967295\s*$/;

const shown = new Map<'uid' | 'gid', number | undefined>();

/**
 * The id that stands for unmapped users or groups; undefined where every id is mapped. Read once.
 *
 * @see https://man7.org/linux/man-pages/man7/user_namespaces.7.html "Unmapped user and group IDs"
 */
function readShown(kind: 'uid' | 'gid'): number | undefined {
  if (!shown.has(kind)) shown.set(kind, findShown(kind));
  return shown.get(kind);
}

function findShown(kind: 'uid' | 'gid'): number | undefined {
  try {
    if (MAPS_ALL.test(readFileSync(`/proc/self/${kind}_map`, 'utf8'))) return undefined;
    return Number(readFileSync(`/proc/sys/kernel/overflow${kind}`, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether a path belongs to a user who is not mapped. A mapped user can have the same id; the kernel lets only the owner
 * of a file open it with O_NOATIME. A link cannot be opened, and counts as not mapped.
 *
 * @see https://man7.org/linux/man-pages/man2/open.2.html O_NOATIME
 */
export function hasUnmappedOwner(path: string, stat: Stats): boolean {
  if (stat.uid === 0 || stat.uid !== readShown('uid')) return false;
  if (stat.isSymbolicLink()) return true;
  try {
    closeSync(openSync(path, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_NONBLOCK));
    return false;
  } catch {
    return true;
  }
}

/** Whether a path belongs to the user of this process, as far as users own files here. */
export function isOwn(path: string, stat: Stats): boolean {
  const user = process.geteuid?.() ?? stat.uid;
  return stat.uid === user && !hasUnmappedOwner(path, stat);
}

/** Whether a path may belong to a group that is not mapped: nothing tells it from a mapped group with the same id. */
export const mayHaveUnmappedGroup = ({ gid }: Stats): boolean =>
  gid !== 0 && gid === readShown('gid');
