/** Makes what was written survive a loss of power. */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../base/thrown.ts';

/**
 * Syncs a tree that was just written: its whole file system with the `sync` program, which is one
 * call for thousands of files; where there is none, file by file. A slow disk takes its time, in which
 * others have to see that this process lives: nothing here blocks for longer than one file.
 *
 * @param env the environment of the program: PATH
 */
export async function syncTree(dir: string, env: Record<string, string>): Promise<void> {
  const code = await new Promise((resolve) => {
    const sync = spawn('sync', ['-f', dir], { env, stdio: 'ignore' });
    sync.once('error', resolve).once('exit', resolve);
  }).catch(messageOf);
  if (code !== 0) await syncEach(dir);
}

async function syncEach(dir: string): Promise<void> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await syncEach(path);
    else {
      syncPath(path);
      await setImmediate();
    }
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
