/** Mounts that show files of another user as those of root: they are hashed, in a layer too. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cachedMountsProblem } from '../support/cached-mounts.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { findProgram } from '../support/programs.ts';
import { useRootLayer } from '../support/root-layer.ts';
import { PLAIN_USER } from '../support/user.ts';

const { uid, gid } = PLAIN_USER;
const problem = cachedMountsProblem ?? (canMount() ? undefined : 'mounting is not allowed');
const why = problem === undefined ? '' : ` (skipped: ${problem})`;

/** Asks the test to mount something over a file just before annex asks for its owner, and to unmount it just after. */
const ASK_AROUND_LSTAT = `
const fs = require('node:fs');
const { lstatSync } = fs;
const { ASKED, COVERED } = process.env;
const ask = (what) => {
  fs.writeFileSync(ASKED, what);
  while (fs.readFileSync(ASKED, 'utf8') !== '');
};
fs.lstatSync = (path, ...rest) => {
  if (path !== COVERED || !/isSealedFile/.test(new Error().stack)) return lstatSync(path, ...rest);
  ask('mount');
  const stat = lstatSync(path, ...rest);
  ask('unmount');
  return stat;
};
require('node:module').syncBuiltinESMExports();
`;

/** Mounts a directory with FUSE, as if root owned what is in it. */
function pretend(from: string, to: string): void {
  const shown = ['--force-user=root', '--force-group=root', '-o', 'allow_other,nonempty'];
  execFileSync('bindfs', [...shown, from, to], { stdio: 'ignore' });
  onTestFinished(() => void unmount(to));
}

/** Mounts an image with mount(2): the program of that name makes a loop device for it. */
function mountImage(image: string, dir: string): void {
  const call = process.arch === 'arm64' ? 40 : 165;
  const program = `syscall(${call}, @ARGV, 1, 0) == 0 or die $!`;
  execFileSync('perl', ['-e', program, image, dir, 'erofs'], { stdio: 'pipe' });
}

const erofs = findErofsProblem();

/** Linux can mount such images since 6.12. */
function findErofsProblem(): string | undefined {
  const missing = ['mkfs.erofs', 'perl'].filter((name) => findProgram(name) === undefined);
  if (problem !== undefined || missing.length > 0) return ` (skipped: not installed: ${missing})`;
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-erofs-'));
  const [image, dir] = [join(root, 'image'), join(root, 'dir')];
  try {
    mkdirSync(dir);
    execFileSync('mkfs.erofs', [image, dir], { stdio: 'pipe' });
    mountImage(image, dir);
    unmount(dir);
    return undefined;
  } catch (error) {
    return ` (skipped: ${(error as Error).message.split('\n').join(' ')})`;
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe.runIf(problem === undefined)(`a layer${why}`, () => {
  const { at, findEntry, findFile, change, load, expectRefused } = useRootLayer(process.execPath);
  const makeDirectory = (name: string): string => {
    const path = join(at.sandbox.root, name);
    mkdirSync(path);
    return path;
  };
  const use = (layer: string) => ({ ANNEX_STORE: `${delimiter}${layer}` });

  test('on a disk that is mounted below FUSE', async () => {
    await at.bakeLocked();
    change();
    const behind = makeDirectory('behind');
    mkdirSync(join(behind, 'disk'));
    chownSync(behind, uid, gid);
    const layer = join(makeDirectory('shown'), 'disk');
    pretend(behind, join(at.sandbox.root, 'shown'));
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', layer);
    onTestFinished(() => void unmount(layer));
    cpSync(at.layer, layer, { recursive: true });
    await expectRefused(use(layer));
  });

  test('with FUSE on a directory of an entry, and on a file', async () => {
    await at.bakeLocked();
    change();
    const dir = join(findEntry(), 'node_modules/other');
    const copy = join(at.sandbox.root, 'copy');
    cpSync(dir, copy, { recursive: true });
    const shown = makeDirectory('shown');
    pretend(copy, shown);
    mount('--bind', join(shown, 'index.js'), findFile());
    await expectRefused();
    unmount(findFile());
    expect((await load()).other?.marker).toBe('CHANGED');
    pretend(copy, dir);
    await expectRefused();
  });

  test('with FUSE on a file of an overlay, that is there only while annex asks for the owner', async () => {
    await at.bakeLocked();
    change();
    const copy = join(at.sandbox.root, 'copy');
    cpSync(dirname(findFile()), copy, { recursive: true });
    chownSync(findFile(), uid, gid);
    // Two file systems: then files have other devices than directories.
    const disk = makeDirectory('disk');
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', disk);
    onTestFinished(() => void unmount(disk));
    const layer = makeDirectory('merged');
    mount('-t', 'overlay', '-o', `lowerdir=${at.layer}:${disk}`, 'overlay', layer);
    onTestFinished(() => void unmount(layer));
    const file = layer + findFile().slice(at.layer.length);
    await expectRefused(use(layer));
    const shown = makeDirectory('shown');
    pretend(copy, shown);
    const asked = at.sandbox.write('asked', '');
    chmodSync(asked, 0o666);
    const answers: string[] = [];
    const timer = setInterval(() => {
      const what = readFileSync(asked, 'utf8');
      if (what === 'mount') mount('--bind', join(shown, 'index.js'), file);
      if (what === 'unmount') unmount(file);
      if (what !== '') answers.push(what);
      truncateSync(asked);
    }, 1);
    onTestFinished(() => clearInterval(timer));
    const hook = at.sandbox.write('hook.cjs', ASK_AROUND_LSTAT);
    const env = { COVERED: file, ASKED: asked, NODE_OPTIONS: `--require=${hook}` };
    await expectRefused({ ...use(layer), ...env });
    expect(answers.slice(0, 2)).toEqual(['mount', 'unmount']);
  });

  test('on an image file, which another user may own', async () => {
    await at.bakeLocked();
    change();
    const image = join(at.sandbox.root, 'image.ext4');
    writeFileSync(image, '');
    execFileSync('mkfs.ext4', ['-q', '-d', at.layer, image, '8M'], { stdio: 'pipe' });
    chownSync(image, uid, gid);
    const layer = makeDirectory('mounted');
    mount('-o', 'loop,ro', image, layer);
    onTestFinished(() => void unmount(layer));
    await expectRefused(use(layer));
  });

  test.runIf(erofs === undefined)(
    `on an image file without a loop device${erofs ?? ''}`,
    async () => {
      await at.bakeLocked();
      change();
      const image = join(at.sandbox.root, 'image.erofs');
      execFileSync('mkfs.erofs', [image, at.layer], { stdio: 'pipe' });
      chownSync(image, uid, gid);
      const layer = makeDirectory('mounted');
      mountImage(image, layer);
      onTestFinished(() => void unmount(layer));
      await expectRefused(use(layer));
    },
  );

  test('on an overlay whose upper directory another user owns', async () => {
    await at.bakeLocked();
    change();
    const disk = makeDirectory('disk');
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', disk);
    onTestFinished(() => void unmount(disk));
    const [upper, work] = ['upper', 'work'].map((name) => makeDirectory(join('disk', name)));
    const layer = makeDirectory('merged');
    const dirs = `lowerdir=${at.layer},upperdir=${upper},workdir=${work}`;
    mount('-t', 'overlay', '-o', dirs, 'overlay', layer);
    onTestFinished(() => void unmount(layer));
    chownSync(upper ?? '', uid, gid);
    await expectRefused(use(layer));
  });
});
