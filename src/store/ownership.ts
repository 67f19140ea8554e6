/** Who may own a store: whether a process may run what stands in it, or write to it. */

/** The facts of one directory on the way to an entry. */
export interface Place {
  path: string;
  uid: number;
  gid: number;
  /** Permission bits, with set-id and sticky; 0 for a symbolic link, which has none. */
  mode: number;
}

/** Who is asking. */
export interface User {
  uid: number;
  /** The effective group and the supplementary ones. */
  groups: number[];
}

/** A way to an entry, from the outside in. */
export interface Chain {
  /** The directories above the store, up to the mount; only root looks at them. */
  above: Place[];
  /** Undefined when it is not there yet. */
  store?: Place;
  /** What lies between the store and the entry, the entry last. */
  below?: Place[];
}

/**
 * Why this user may not use what the chain leads to; undefined when it may.
 *
 * Root uses only what nobody else can change, up to the mount: a root shell in a container must
 * never run code that the application's user can write. Anybody else trusts root, itself, and a
 * store that one of its groups may write; never what everybody may write.
 */
export function findDistrust(user: User, { above, store, below = [] }: Chain): string | undefined {
  const inside = store === undefined ? [] : [store, ...below];
  if (user.uid === 0) {
    return (
      above.map((place) => distrustAsRoot(place, (place.mode & 0o1000) !== 0)).find(Boolean) ??
      inside.map((place) => distrustAsRoot(place, false)).find(Boolean)
    );
  }
  const isOfGroups = ({ gid }: Place): boolean => user.groups.includes(gid);
  const isGroupStore = store !== undefined && (store.mode & 0o020) !== 0 && isOfGroups(store);
  for (const place of inside) {
    const isOwn = place.uid === 0 || place.uid === user.uid;
    if (!isOwn && !(isGroupStore && isOfGroups(place))) {
      return `${place.path} belongs to uid ${place.uid}`;
    }
    if ((place.mode & 0o002) !== 0) return `${place.path} is writable by everybody`;
  }
  return undefined;
}

function distrustAsRoot(place: Place, mayBeWritable: boolean): string | undefined {
  if (place.uid !== 0) return `${place.path} belongs to uid ${place.uid}, and this process is root`;
  if (mayBeWritable || (place.mode & 0o022) === 0) return undefined;
  return `${place.path} is writable by others, and this process is root`;
}
