/** Writes files to the disk, so that they survive a loss of power. */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { messageOf } from '../base/thrown.ts';
import { ignoreErrors } from './directory.ts';

/**
 * Syncs a tree: its whole file system by the `sync` program, one call for thousands of files; without that
 * program, file by file. The heartbeat of this process must continue on a slow disk, so nothing blocks for longer than
 * one file.
 *
 * @param env environment of the program: PATH
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
 * Syncs the name of a published entry. The entry is complete and visible, so an error here is ignored: at most,
 * a loss of power removes the name again. Some file systems cannot sync a directory.
 */
export function syncName(path: string): void {
  ignoreErrors(() => syncPath(dirname(path)));
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
