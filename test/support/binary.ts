/** Makes a binary usable by users who cannot reach it where it is, or where nothing else stands beside it. */
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

/** Whether everybody can run a file where it is. */
export function isReachable(path: string): boolean {
  const real = realpathSync(path);
  if ((statSync(real).mode & 0o005) !== 0o005) return false;
  for (let dir = dirname(real), below = ''; dir !== below; below = dir, dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o001) === 0) return false;
  }
  return true;
}

/**
 * A binary in a directory of its own that everybody can reach; linked when that is possible, for Node
 * has 100 MB.
 * @returns its path, the same for the same binary
 */
export function shareBinary(path: string, directory: string): string {
  const real = realpathSync(path);
  const home = join(directory, String(statSync(real).ino));
  const shared = join(home, basename(path));
  if (lstatSync(shared, { throwIfNoEntry: false }) !== undefined) return shared;
  mkdirSync(home, { recursive: true });
  // Whatever the umask.
  for (const made of [directory, home]) chmodSync(made, 0o755);
  try {
    linkSync(real, shared);
  } catch {
    copyFileSync(real, shared);
  }
  return shared;
}
