/** The volume of a path, and the programs that mount object stores. */
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findObjectStore, findVolume } from '../../../src/store/volume.ts';
import { canMount, mount, unmount } from '../../support/mount.ts';
import { removeTree } from '../../support/tree.ts';

test.runIf(canMount())('a mount that is covered by another is not the volume of a path', () => {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-volume-'));
  onTestFinished(() => removeTree(root));
  const store = join(root, 'data/annex store');
  mkdirSync(store, { recursive: true });
  mount('-t', 'tmpfs', 'inner', store);
  onTestFinished(() => void unmount(store));
  expect(findVolume(store)).toMatchObject({ source: 'inner', point: store });
  expect(findVolume(join(store, 'v1/any'))).toMatchObject({ source: 'inner' });
  mount('-t', 'tmpfs', 'outer', join(root, 'data'));
  onTestFinished(() => void unmount(join(root, 'data')));
  expect(findVolume(store)).toMatchObject({ source: 'outer', point: join(root, 'data') });
  mkdirSync(store);
  expect(findVolume(store)).toMatchObject({ source: 'outer', kind: 'tmpfs' });
});

const volume = { id: '1', point: '/data', options: new Set<string>() };

test.each([
  ['fuse.s3fs', 's3fs', 's3fs'],
  ['fuse.rclone', 'remote:bucket', 'rclone'],
  ['fuse.gcsfuse', 'bucket', 'gcsfuse'],
  ['fuse', 'mountpoint-s3', 'mountpoint-s3'],
  ['fuse', 'blobfuse2', 'blobfuse2'],
])('%s of %s is a mount of an object store', (kind, source, program) => {
  expect(findObjectStore({ ...volume, kind, source })).toBe(program);
});

test.each([
  ['fuse.mergerfs', 's3fs'],
  ['fuse.mergerfs', '/mnt/rclone:/mnt/disk'],
  ['fuse.rclone-union', 'union'],
  ['fuse.juicefs', 'JuiceFS:rclone'],
  ['fuse.gocryptfs', 'rclone'],
  ['fuse.sshfs', 'user@rclone:/s3fs'],
  ['fuse.osxfs', '/host_mnt/rclone'],
  ['fuse', '/mnt/s3fs'],
  ['fuseblk', 's3fs'],
  ['fakeowner', 'rclone'],
  ['virtiofs', 's3fs'],
  ['9p', 'rclone'],
  ['overlay', 's3fs'],
])('%s of %s is none', (kind, source) => {
  expect(findObjectStore({ ...volume, kind, source })).toBeUndefined();
});
