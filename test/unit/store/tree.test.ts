/** Trees are sealed and removed without reaching a file outside. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type DirHandle, openDir } from '../../../src/store/directory.ts';
import { removeIn, sealTree } from '../../../src/store/tree.ts';
import { removeTree } from '../../support/tree.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

function makePlace() {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-seal-'));
  onTestFinished(() => removeTree(root));
  const tree = join(root, 'tree');
  mkdirSync(join(tree, 'below'), { recursive: true });
  writeFileSync(join(tree, 'file'), '', { mode: 0o644 });
  writeFileSync(join(tree, 'below', 'program'), '', { mode: 0o755 });
  const dir = openDir(tree);
  onTestFinished(() => dir.close());
  return { root, tree, dir };
}

test('sealing makes files and directories read-only, and keeps execute bits', () => {
  const { tree, dir } = makePlace();
  sealTree(dir);
  const modes = ['', 'below', 'file', 'below/program'].map((name) => modeOf(join(tree, name)));
  expect(modes).toEqual([0o555, 0o555, 0o444, 0o555]);
});

test('sealing does not follow a link that takes the place of a listed file', () => {
  const { root, tree, dir } = makePlace();
  const victim = join(root, 'victim');
  writeFileSync(victim, '', { mode: 0o600 });
  const swapping: DirHandle = {
    ...dir,
    at: (name) => {
      if (name === 'file') {
        rmSync(join(tree, name));
        symlinkSync(victim, join(tree, name));
      }
      return dir.at(name);
    },
  };
  expect(() => sealTree(swapping)).toThrow(/ELOOP/);
  expect(modeOf(victim)).toBe(0o600);
});

test('a deep tree of read-only directories is removed', () => {
  const { root, tree } = makePlace();
  const deepest = join(tree, ...Array.from({ length: 100 }, () => 'd'));
  mkdirSync(deepest, { recursive: true });
  writeFileSync(join(deepest, 'file'), '');
  for (let path = deepest; path !== root; path = dirname(path)) chmodSync(path, 0o555);
  const parent = openDir(root);
  onTestFinished(() => parent.close());
  removeIn(parent, 'tree');
  expect(readdirSync(root)).toEqual([]);
});

test('a name that is not UTF-8 stays, and its removal ends with an error', () => {
  const { root, tree } = makePlace();
  writeFileSync(Buffer.concat([Buffer.from(join(tree, 'caf')), Buffer.from([0xe9])]), '');
  const parent = openDir(root);
  onTestFinished(() => parent.close());
  expect(() => removeIn(parent, 'tree')).toThrow(/ENOTEMPTY/);
  execFileSync('rm', ['-r', tree]);
});
