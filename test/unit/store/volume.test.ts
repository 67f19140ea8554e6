/** The volume of a path. */
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findVolume } from '../../../src/store/volume.ts';
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
