/** Whether this process may use what stands in a store, or write to it: the facts for ownership.ts. */
import { accessSync, constants, lstatSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { listAncestors, toRealPath } from '../app/core.ts';
import { AnnexError } from '../base/error.ts';
import { refuseByFileError, refuseUnread } from '../base/file-error.ts';
import { isWithin, LOCKS, STAGING, VERSION, versionRoot } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';
import type { Refusal } from '../types.ts';
import { withDir } from './directory.ts';
import { findDistrust, type Place, type User } from './ownership.ts';

/**
 * Why this process may not use an entry, or may not write to the store; undefined when it may.
 * A store that does not exist yet is judged by what it would be made in.
 *
 * @param entry real path of the entry's directory; without it, the store itself is asked about
 * @throws errors of the file system that say nothing about who can write there
 */
export function findStoreDistrust(store: string, entry?: string): string | undefined {
  const user = whoAmI();
  if (user === undefined) return undefined;
  const real = toRealPath(store);
  if (entry !== undefined && !isWithin(entry, real)) return `${entry} is not inside ${store}`;
  try {
    const misled = findMisleading(user, store);
    if (misled !== undefined) return misled;
    if (look(real) === undefined) {
      const above = listAncestors(dirname(real)).find((dir) => look(dir) !== undefined) ?? sep;
      return findDistrust(user, { above: lookUpwards(above) });
    }
    const versioned = versionRoot(real);
    const target = entry ?? (look(versioned) === undefined ? real : versioned);
    return findDistrust(user, findChain(real, target));
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (ABOUT_PATH.has(code)) return `${store} cannot be looked at (${code})`;
    throw error;
  }
}

/** Errors that say that the path of a store leads nowhere, or where this user may not look. */
const ABOUT_PATH = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENAMETOOLONG']);

/**
 * Why nothing can be installed into a store, as far as looking tells; undefined when nothing speaks
 * against it. Whether there is room is found out by writing alone.
 */
export function findStoreRefusal(store: string): Refusal | undefined {
  let distrust: string | undefined;
  try {
    distrust = findStoreDistrust(store);
  } catch (error) {
    return refuseUnread(error, store);
  }
  if (distrust !== undefined) return refuseDistrusted(distrust);
  for (const name of [STAGING, LOCKS]) {
    try {
      accessNearest(store, [VERSION, name]);
    } catch (error) {
      if (error instanceof AnnexError) return error.refusal;
      // Node's permission model has a code of its own, and does not restrict the installer.
      if (DENIED.has(codeOf(error) ?? '')) return refuseByFileError(error, store);
    }
  }
  return undefined;
}

/** A store, or an entry in it, that `findStoreDistrust` speaks against. */
export const refuseDistrusted = (reason: string): Refusal => ({
  code: 'ANNEX_STORE_UNUSABLE',
  reason,
  hint: 'run this as the user that the store belongs to, or set ANNEX_STORE to a directory of its own',
});

/** Whether a directory, or the nearest one above it that is there, can be written. */
function accessNearest(store: string, names: string[]): void {
  try {
    withDir(store, names, (dir) => accessSync(dir.at(), constants.W_OK | constants.X_OK));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (names.length > 0) {
      accessNearest(store, names.slice(0, -1));
      return;
    }
    const nearest = listAncestors(store).find((up) => look(up) !== undefined) ?? sep;
    accessSync(nearest, constants.W_OK | constants.X_OK);
  }
}

const DENIED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);

/**
 * Who can change where the path of a store leads, by a link on it: for root anybody who owns the link, or may
 * change a directory above it; for others whoever owns a store that is itself a link.
 */
function findMisleading(user: User, store: string): string | undefined {
  if (user.uid === 0) {
    const chains = listLinks(store).map(({ place, dir }) => ({
      above: [place, ...lookUpwards(dir)],
    }));
    return chains.map((chain) => findDistrust(user, chain)).find(Boolean);
  }
  const place = look(store);
  const isLink = place !== undefined && lstatSync(store).isSymbolicLink();
  return isLink ? findDistrust(user, { above: [], store: place }) : undefined;
}

/** As Linux: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Every link that is followed from the root to a path, with the real path of its directory. What comes after
 * a component that is not there is not looked at.
 *
 * @throws errors of the file system, ELOOP included
 */
function listLinks(path: string): { place: Place; dir: string }[] {
  const links: { place: Place; dir: string }[] = [];
  const rest = path.split(sep);
  let dir: string = sep;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = join(dir, name);
    const place = look(next);
    if (place === undefined) break;
    if (!lstatSync(next).isSymbolicLink()) {
      dir = next;
      continue;
    }
    if (links.length === MOST_LINKS) throw Object.assign(new Error(path), { code: 'ELOOP' });
    links.push({ place, dir });
    const target = readlinkSync(next);
    if (isAbsolute(target)) dir = sep;
    rest.unshift(...target.split(sep));
  }
  return links;
}

function findChain(store: string, target: string) {
  const parts = relative(store, target).split(sep).filter(Boolean);
  const below = parts.map((_, index) => join(store, ...parts.slice(0, index + 1)));
  const [place, ...places] = [store, ...below].flatMap((path) => look(path) ?? []);
  const up = dirname(store);
  const isMount = lstatSync(store).dev !== lstatSync(up).dev;
  return { above: isMount ? [] : lookUpwards(up), ...(place && { store: place }), below: places };
}

/** A directory and what stands above it, up to the root of its mount. */
function lookUpwards(dir: string): Place[] {
  const places: Place[] = [];
  const { dev } = lstatSync(dir);
  for (const up of listAncestors(dir)) {
    if (lstatSync(up).dev !== dev) break;
    const place = look(up);
    if (place !== undefined) places.push(place);
  }
  return places;
}

/** The facts of one place; undefined when it is not there. A link has no mode of its own. */
function look(path: string): Place | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const isLink = stat.isSymbolicLink();
  return { path, uid: stat.uid, gid: stat.gid, mode: isLink ? 0 : stat.mode & 0o7777 };
}

/** The effective user; undefined where there is no such thing (Windows). */
function whoAmI(): User | undefined {
  const { geteuid, getegid, getgroups } = process;
  if (geteuid === undefined || getegid === undefined || getgroups === undefined) return undefined;
  return { uid: geteuid(), groups: [getegid(), ...getgroups()] };
}
