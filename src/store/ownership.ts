/** Whom a process trusts: whether it may use an entry or a store, given owners and modes. */

/** The id of users and groups whom the user namespace of the process does not map: no process has it. */
export const NOBODY = -1;

/** What a reason says of a path that belongs to such a user. */
export const UNMAPPED = 'belongs to a user whom this user namespace does not map';

/** Owner and mode of one directory on the way to an entry. */
export interface Location {
  path: string;
  /** `NOBODY` for a user who is not mapped. */
  uid: number;
  /** `NOBODY` for a group that may not be mapped. */
  gid: number;
  /** Permission bits, with set-id and sticky; 0 for a symbolic link. */
  mode: number;
}

/** The user of a process. */
export interface User {
  uid: number;
  /** The effective group and the supplementary ones. */
  groups: number[];
}

/** The way to an entry, from the outside in. */
export interface Chain {
  /** The directories above the store, up to the root of the mount; checked for root only. */
  above: Location[];
  /** Undefined when the store does not exist. */
  store?: Location;
  /** From the store to the entry, the entry last. */
  below?: Location[];
}

/**
 * Why a user may not use what a chain leads to; undefined when it may.
 *
 * Root uses only what nobody else can change, up to the mount: a root shell in a container must never run code
 * that the application's user can write. Any other user trusts root, itself, and a store that one of its groups
 * may write; never what everybody may write.
 */
export function findDistrust(user: User, { above, store, below = [] }: Chain): string | undefined {
  const inside = store === undefined ? [] : [store, ...below];
  if (user.uid === 0) {
    // In a sticky directory nobody can replace what root owns.
    const outer = above.map((each) => findRootDistrust(each, (each.mode & 0o1000) !== 0));
    return [...outer, ...inside.map((each) => findRootDistrust(each, false))].find(Boolean);
  }
  const isOfGroups = (gid: number): boolean => user.groups.includes(gid);
  const isGroupStore = store !== undefined && (store.mode & 0o020) !== 0 && isOfGroups(store.gid);
  for (const { path, uid, gid, mode } of inside) {
    const isTrusted = uid === 0 || uid === user.uid || (isGroupStore && isOfGroups(gid));
    if (!isTrusted) return describeOwner(path, uid);
    if ((mode & 0o002) !== 0) return `${path} is writable by everybody`;
  }
  return undefined;
}

function findRootDistrust({ path, uid, mode }: Location, isSticky: boolean): string | undefined {
  if (uid !== 0) return `${describeOwner(path, uid)}, and this process is root`;
  if (isSticky || (mode & 0o022) === 0) return undefined;
  return `${path} is writable by others, and this process is root`;
}

const describeOwner = (path: string, uid: number): string =>
  uid === NOBODY ? `${path} ${UNMAPPED}` : `${path} belongs to uid ${uid}`;
