/** Volumes for tests, where a volume can be mounted. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Runs mount. */
export const mount = (...args: string[]) => execFileSync('mount', args, { stdio: 'pipe' });

/** Unmounts, even if a process still uses it. */
export const unmount = (directory: string) =>
  execFileSync('umount', ['-l', directory], { stdio: 'pipe' });

/** Unmounts all stacked mounts of a directory. */
export function unmountAll(directory: string): void {
  const isMounted = (): boolean => statSync(directory).dev !== statSync(dirname(directory)).dev;
  while (isMounted()) unmount(directory);
}

/** Mounting needs root, and in a container a capability that is rarely granted. */
export function canMount(): boolean {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'annex-mount-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory);
    unmount(directory);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(directory);
  }
}
