/** Makes what was written survive a loss of power. */
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Syncs a tree that was just written: its whole file system with the `sync` program, which is one
 * call for thousands of files; where there is none, file by file.
 *
 * @param env the environment of the program: PATH
 */
export function syncTree(dir: string, env: Record<string, string>): void {
  const { status } = spawnSync('sync', ['-f', dir], { env, stdio: 'ignore' });
  if (status !== 0) syncEach(dir);
}

function syncEach(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) syncEach(path);
    else syncPath(path);
  }
  syncPath(dir);
}

/**
 * Syncs the name of something that was just published. Whoever reads may have it by now, and it is
 * whole: that a loss of power might take the name away again is no reason to call it failed.
 */
export function syncName(path: string): void {
  try {
    syncPath(dirname(path));
  } catch {
    // The disk has been told; some file systems cannot sync a directory at all.
  }
}

/** Syncs one file, or the names in one directory. */
function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
