/** A FUSE mount whose program can be killed: every call on it then fails with ENOTCONN. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { unmount } from './mount.ts';

/** A mount of a directory beside it, until the end of the test. */
export interface MortalMount {
  path: string;
  /** Kills its program. The mount stays. */
  kill: () => Promise<void>;
  /** Unmounts what is there, and mounts the directory again. */
  mountAgain: () => Promise<void>;
}

/** Mounts `ROOT/volume.files` on `ROOT/volume`, with bindfs, without caches. */
export async function openMortalMount(root: string): Promise<MortalMount> {
  const path = join(root, 'volume');
  const files = join(root, 'volume.files');
  for (const dir of [path, files]) mkdirSync(dir, { recursive: true });
  const start = async () => {
    const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
    const program = spawn('bindfs', ['-f', '-o', options, files, path], { stdio: 'ignore' });
    await expect.poll(() => statSync(path).dev).not.toBe(statSync(dirname(path)).dev);
    return program;
  };
  let program = await start();
  onTestFinished(() => void unmount(path));
  return {
    path,
    kill: async () => {
      const ended = once(program, 'exit');
      program.kill('SIGKILL');
      await ended;
    },
    mountAgain: async () => {
      unmount(path);
      program = await start();
    },
  };
}
