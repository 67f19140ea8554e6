/** Shares a binary with users who cannot reach its path, in a directory without other programs. */
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Whether every user can run a file at its path. */
export function isReachable(path: string): boolean {
  const real = realpathSync(path);
  if ((statSync(real).mode & 0o005) !== 0o005) return false;
  for (let dir = dirname(real), below = ''; dir !== below; below = dir, dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o001) === 0) return false;
  }
  return true;
}

/**
 * A binary in a separate directory that every user can reach; hard-linked if possible, because Node
 * has 100 MB.
 * @returns its path, the same for the same binary
 */
export function shareBinary(path: string, directory: string): string {
  const real = realpathSync(path);
  const home = join(directory, String(statSync(real).ino));
  const shared = join(home, basename(path));
  if (lstatSync(shared, { throwIfNoEntry: false }) !== undefined) return shared;
  mkdirSync(home, { recursive: true });
  // Regardless of the umask.
  for (const made of [directory, home]) chmodSync(made, 0o755);
  try {
    linkSync(real, shared);
  } catch {
    copyFileSync(real, shared);
  }
  return shared;
}
