/** A mount of a bucket: rclone, on objects that it keeps in memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { until } from '../../examples/immutable-image/test/support/podman.ts';
import { closeLater } from './close.ts';
import { unmount } from './mount.ts';
import { findProgram } from './programs.ts';
import { isRoot } from './user.ts';

/** Why such a mount is impossible here; undefined if it is possible. */
export const bucketProblem: string | undefined = findProblem();

function findProblem(): string | undefined {
  if (!isRoot) return 'mounting takes root';
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  return findProgram('rclone') === undefined ? 'rclone is not installed' : undefined;
}

/** Mounts an empty bucket, until the end of the test file. Other users can read it. */
export async function mountBucket(path: string): Promise<void> {
  mkdirSync(path, { recursive: true });
  const flags = ['--config', '/dev/null', '--allow-other', '--vfs-cache-mode', 'off'];
  const program = spawn('rclone', ['mount', ':memory:bucket', path, ...flags], { stdio: 'ignore' });
  closeLater(async () => {
    const ended = once(program, 'exit');
    if (isMounted(path)) unmount(path);
    program.kill();
    await ended;
  });
  await until('the bucket is mounted', async () => isMounted(path));
}

const isMounted = (path: string): boolean => statSync(path).dev !== statSync(dirname(path)).dev;
