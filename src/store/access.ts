/** Whether this process may use a store or an entry: collects the facts that `findDistrust` judges. */
import { lstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { listAncestors, toRealPath } from '../base/paths.ts';
import { isWithin, versionRoot } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Settings } from '../settings/settings.ts';
import type { Refusal } from '../types.ts';
import { findDistrust, type Location, NOBODY, UNMAPPED, type User } from './ownership.ts';
import { hasUnmappedOwner, mayHaveUnmappedGroup } from './unmapped.ts';

/** Errors of the file system about a path: absent, a loop of links, or another user's. */
const PATH_ERRORS = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENAMETOOLONG']);
export const isPathError = (error: unknown): boolean => PATH_ERRORS.has(codeOf(error) ?? '');
/** The limit of Linux, path_resolution(7). */
const MAX_LINKS = 40;

/** The store and its layers, in the order in which they are searched. */
export const listStores = ({ store, layers }: Settings): string[] =>
  store === undefined ? layers : [store, ...layers];

/**
 * Why this process may not use a store; undefined when it may. A store that does not exist is judged by the
 * directory in which it would be made.
 *
 * @throws errors of the file system that say nothing about who can write there
 */
export const findStoreDistrust = (store: string): string | undefined =>
  findDistrustAt(store, toRealPath(store));

/**
 * @param real real path of the store
 * @param entry real path of an entry
 */
function findDistrustAt(store: string, real: string, entry?: string): string | undefined {
  const user = identifyUser();
  if (user === undefined) return undefined;
  if (entry !== undefined && !isWithin(entry, real)) return `${entry} is not inside ${store}`;
  try {
    const redirected = findRedirection(user, store);
    if (redirected !== undefined) return redirected;
    if (lstat(real) === undefined) {
      return findDistrust(user, { above: listMount(findNearest(dirname(real))) });
    }
    const versioned = versionRoot(real);
    const target = entry ?? (lstat(versioned) === undefined ? real : versioned);
    return findDistrust(user, listChain(real, target));
  } catch (error) {
    if (isPathError(error)) return `${store} cannot be accessed (${codeOf(error)})`;
    throw error;
  }
}

/**
 * Resolves the path of an entry, provided that this process may use it. Nothing in the entry is read.
 *
 * @param store as configured
 * @param path of the entry, below the store as configured or below its real path
 * @returns the real path
 * @throws an AnnexError, and errors of the file system that say nothing about the entry
 */
export function resolveEntry(store: string, path: string): string {
  const real = toRealPath(store);
  const dir = isWithin(path, real) ? path : join(real, relative(store, path));
  try {
    if (realpathSync.native(dir) !== dir) throw refuseEntry(path, 'reached by a link');
    if (!lstatSync(dir).isDirectory()) throw refuseEntry(path, 'not a directory');
  } catch (error) {
    throw isPathError(error) ? refuseEntry(path, `unreachable (${codeOf(error)})`) : error;
  }
  const distrust = findDistrustAt(store, real, dir);
  if (distrust !== undefined) throw new AnnexError(refuseDistrusted(distrust, store));
  return dir;
}

/** The first store or layer, as configured, that has an entry of that real path. */
export const findStoreOf = (settings: Settings, dir: string): string | undefined =>
  listStores(settings).find((each) => isWithin(dir, versionRoot(toRealPath(each))));

/**
 * Why this process may not use an entry that was reached by its path; undefined when it may.
 *
 * @param dir real path of the entry
 */
export function findEntryRefusal(settings: Settings, dir: string): Refusal | undefined {
  const store = findStoreOf(settings, dir);
  try {
    if (store === undefined) {
      throw refuseEntry(dir, 'in no store', 'correct ANNEX_STORE, then start the process again');
    }
    resolveEntry(store, dir);
    return undefined;
  } catch (error) {
    if (error instanceof AnnexError) return error.refusal;
    throw error;
  }
}

const refuseEntry = (path: string, what: string, hint = 'move it out of the store'): AnnexError =>
  new AnnexError({
    code: 'ANNEX_STORE_UNUSABLE',
    reason: `${path} is ${what}`,
    hint,
  });

/** The refusal of a store that this process may not use. */
export const refuseDistrusted = (reason: string, store: string): Refusal => ({
  code: 'ANNEX_STORE_UNUSABLE',
  reason,
  hint: trustBy(reason, store),
});

/** What makes a store trusted. */
function trustBy(reason: string, store: string): string {
  const [, uid, isRoot] = / belongs to uid (\d+)(, and this process is root)?$/.exec(reason) ?? [];
  const move = 'set ANNEX_STORE to another directory';
  if (reason.includes(UNMAPPED)) {
    return `map the owner of the store into the user namespace (podman run --userns keep-id), or ${move}`;
  }
  if (uid === undefined) {
    return `run the process as the owner of the store, let nobody else write there, or ${move}`;
  }
  if (isRoot !== undefined) return `${move}, or run it as that user: docker exec --user ${uid}`;
  return `run the process as uid ${uid}, ${move}, or as root: chown -R ${process.geteuid?.()} ${store}`;
}

/**
 * Why a link on the path of a store is not trusted: root trusts no link that somebody else owns or can replace,
 * any other user only checks the owner of a store that is itself a link.
 */
function findRedirection(user: User, store: string): string | undefined {
  if (user.uid === 0) {
    const chains = listLinks(store).map(({ link, dir }) => ({ above: [link, ...listMount(dir)] }));
    return chains.map((chain) => findDistrust(user, chain)).find(Boolean);
  }
  const stat = lstat(store);
  if (stat?.isSymbolicLink() !== true) return undefined;
  return findDistrust(user, { above: [], store: toLocation(store, stat) });
}

/**
 * Every link on a path, each with the real path of its directory, up to the first absent component.
 *
 * @throws errors of the file system, ELOOP included
 */
function listLinks(path: string): { link: Location; dir: string }[] {
  const links: { link: Location; dir: string }[] = [];
  const rest = path.split(sep);
  let dir: string = sep;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = join(dir, name);
    const stat = lstat(next);
    if (stat === undefined) break;
    if (!stat.isSymbolicLink()) {
      dir = next;
      continue;
    }
    if (links.length === MAX_LINKS) throw Object.assign(new Error(path), { code: 'ELOOP' });
    links.push({ link: toLocation(next, stat), dir });
    const target = readlinkSync(next);
    if (isAbsolute(target)) dir = sep;
    rest.unshift(...target.split(sep));
  }
  return links;
}

function listChain(store: string, target: string) {
  const parts = relative(store, target).split(sep).filter(Boolean);
  const paths = parts.map((_, index) => join(store, ...parts.slice(0, index + 1)));
  const [first, ...below] = [store, ...paths].flatMap((path) => {
    const stat = lstat(path);
    return stat === undefined ? [] : toLocation(path, stat);
  });
  const up = dirname(store);
  const isMount = lstatSync(store).dev !== lstatSync(up).dev;
  return { above: isMount ? [] : listMount(up), ...(first && { store: first }), below };
}

/** A directory and all above it, up to the root of its mount. */
function listMount(dir: string): Location[] {
  const stats = listAncestors(dir).map((path) => ({ path, stat: lstatSync(path) }));
  const end = stats.findIndex(({ stat }) => stat.dev !== stats[0]?.stat.dev);
  const mount = end === -1 ? stats : stats.slice(0, end);
  return mount.map(({ path, stat }) => toLocation(path, stat));
}

/** The nearest directory above a path that exists. */
export const findNearest = (path: string): string =>
  listAncestors(path).find((dir) => lstat(dir) !== undefined) ?? sep;

const lstat = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false });

/** The permission bits of a symbolic link have no effect. */
export const toLocation = (path: string, stat: Stats): Location => ({
  path,
  uid: hasUnmappedOwner(path, stat) ? NOBODY : stat.uid,
  gid: mayHaveUnmappedGroup(stat) ? NOBODY : stat.gid,
  mode: stat.isSymbolicLink() ? 0 : stat.mode & 0o7777,
});

/** The effective user; undefined on Windows. */
function identifyUser(): User | undefined {
  const { geteuid, getegid, getgroups } = process;
  if (geteuid === undefined || getegid === undefined || getgroups === undefined) return undefined;
  return { uid: geteuid(), groups: [getegid(), ...getgroups()] };
}
