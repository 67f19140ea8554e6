/** Users to run as: root hides permission errors, so tests that depend on them also run as another user. */
import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A plain user that owns nothing and has no name, home or shared group. */
export const PLAIN_USER = { uid: 4711, gid: 4711 } as const;

/** Whether these tests run as root. */
export const isRoot: boolean = process.geteuid?.() === 0;

/** Options of `run`, `annex` and `exec` that run a program as a plain user; none when the tests already do. */
export const asPlainUser: { uid?: number; gid?: number } = isRoot ? PLAIN_USER : {};

/** Root, if it runs the tests, and a plain user: for tests whose outcome must not depend on permissions. */
export const users: { who: string; user: typeof asPlainUser }[] = [
  ...(isRoot ? [{ who: 'as root', user: {} }] : []),
  { who: 'as a plain user', user: asPlainUser },
];

/**
 * Calls a function with the permissions of a plain user; unchanged when the tests do not run as root.
 * @param run synchronous: the permissions are those of the whole process
 */
export function callAsPlainUser<T>(run: () => T): T {
  const { setegid, seteuid, setgroups, getgroups } = process;
  if (!isRoot || !setegid || !seteuid || !setgroups || !getgroups) return run();
  const groups = getgroups.call(process);
  setgroups.call(process, [PLAIN_USER.gid]);
  setegid.call(process, PLAIN_USER.gid);
  seteuid.call(process, PLAIN_USER.uid);
  try {
    return run();
  } finally {
    seteuid.call(process, 0);
    setegid.call(process, 0);
    setgroups.call(process, groups);
  }
}

/** Gives a directory and all below it to a user; does nothing without root. */
export function giveTo({ uid, gid }: { uid?: number; gid?: number }, directory: string): void {
  if (!isRoot || uid === undefined || gid === undefined) return;
  // Not with `recursive`: that follows links.
  const give = (path: string): void => {
    const stats = lstatSync(path);
    // A file with a second hard link, such as a binary of Node, also belongs to another directory.
    if (!stats.isDirectory() && stats.nlink > 1) return;
    lchownSync(path, uid, gid);
    for (const name of stats.isDirectory() ? readdirSync(path) : []) give(join(path, name));
  };
  give(directory);
}
