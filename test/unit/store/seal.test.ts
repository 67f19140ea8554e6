/** Sealing a tree changes the modes of its own files alone. */
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Dir, openDir } from '../../../src/store/dir.ts';
import { sealTree } from '../../../src/store/tree.ts';
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

test('files and directories become read-only, and programs stay programs', () => {
  const { tree, dir } = makePlace();
  sealTree(dir);
  const modes = ['', 'below', 'file', 'below/program'].map((name) => modeOf(join(tree, name)));
  expect(modes).toEqual([0o555, 0o555, 0o444, 0o555]);
});

test('a link that takes the place of a file after it was listed is not followed', () => {
  const { root, tree, dir } = makePlace();
  const victim = join(root, 'victim');
  writeFileSync(victim, '', { mode: 0o600 });
  const swapping: Dir = {
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
