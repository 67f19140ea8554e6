/** Temporary directories are removed, also those of killed processes. */
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { nameOwner } from '../../../src/store/owner.ts';
import { withTemporary } from '../../../src/store/temporary.ts';
import { makeOwner } from '../../support/locks.ts';
import { removeTree } from '../../support/tree.ts';
import { isRoot, PLAIN_USER } from '../../support/user.ts';

const DEAD = makeOwner({ start: '1' });

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-temporary-'));
  vi.stubEnv('TMPDIR', root);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    removeTree(root);
  });
});

/** Makes a directory with a file. */
function make(name: string): string {
  mkdirSync(join(root, name));
  writeFileSync(join(root, name, 'file'), '');
  return name;
}

test('only this user may read the directory, and it is removed after an error', async () => {
  const dirs: string[] = [];
  const use = async (dir: string): Promise<never> => {
    dirs.push(dir);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    writeFileSync(join(dir, 'file'), '');
    throw new Error('of the caller');
  };
  await expect(withTemporary(use)).rejects.toThrow('of the caller');
  expect(dirs.map((dir) => existsSync(dir))).toEqual([false]);
  expect(readdirSync(root)).toEqual([]);
});

test('only the directories of ended processes are removed', async () => {
  make(`annex-work.${DEAD}`);
  const kept = [make(`annex-work.${nameOwner()}`), make('annex-work'), make(`other.${DEAD}`)];
  const victim = make('victim');
  const link = `annex-work.${makeOwner({ start: '2' })}`;
  symlinkSync(victim, join(root, link));
  if (isRoot) {
    const name = make(`annex-work.${makeOwner({ start: '3' })}`);
    chownSync(join(root, name), PLAIN_USER.uid, PLAIN_USER.gid);
    kept.push(name);
  }
  expect(await withTemporary(async () => 'done')).toBe('done');
  expect(readdirSync(root).sort()).toEqual([...kept, victim, link].sort());
  expect(readdirSync(join(root, victim))).toEqual(['file']);
});
