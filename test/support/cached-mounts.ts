/** Two mounts of one directory whose kernel remembers absent names, as two hosts have a network volume. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeLater } from './close.ts';
import { unmount } from './mount.ts';
import { findProgram } from './programs.ts';
import { removeTree } from './tree.ts';
import { isRoot } from './user.ts';

/** Why such mounts are impossible here; undefined if they are possible. */
export const cachedMountsProblem: string | undefined = findProblem();

function findProblem(): string | undefined {
  if (!isRoot) return 'mounting takes root';
  if (!existsSync('/dev/fuse')) return 'there is no /dev/fuse';
  return findProgram('bindfs') === undefined ? 'bindfs is not installed' : undefined;
}

/** Mounts a new directory twice, until the end of the test file. A name that is absent stays absent for an hour. */
export function openCachedMounts(): [string, string] {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-cached-'));
  const at = (name: string): string => join(root, name);
  for (const name of ['volume', 'one', 'two']) mkdirSync(at(name));
  const options = 'negative_timeout=3600,entry_timeout=3600,attr_timeout=1';
  for (const name of ['one', 'two']) {
    execFileSync('bindfs', ['-o', options, at('volume'), at(name)], { stdio: 'pipe' });
  }
  closeLater(() => {
    for (const name of ['one', 'two']) unmount(at(name));
    removeTree(root);
  });
  return [at('one'), at('two')];
}
