/** Links to shared packages are made in the entry only. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Entry } from '../../../src/store/entry.ts';
import type { Manifest } from '../../../src/store/manifest.ts';
import { repairLinks } from '../../../src/store/shared-links.ts';
import { removeTree } from '../../support/tree.ts';

/** An entry that shares `dep` with a core, and the core. */
function makeEntry() {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-links-'));
  onTestFinished(() => removeTree(root));
  const core = join(root, 'core');
  mkdirSync(join(core, 'node_modules/dep'), { recursive: true });
  const dir = join(root, 'store/v1/any', `kit.${'0'.repeat(32)}.0`);
  mkdirSync(join(dir, 'node_modules'), { recursive: true });
  const manifest = { shared: { dep: { ranges: ['*'], version: '1.0.0' } } } as unknown as Manifest;
  const entry: Entry = { feature: 'kit', dir, isLayer: false, manifest };
  return { root, core, entry };
}

test('a missing link is made', () => {
  const { core, entry } = makeEntry();
  repairLinks(entry, core);
  expect(readdirSync(join(entry.dir, 'node_modules'))).toEqual(['dep']);
});

test.for(['the entry', 'its ABI directory'])(
  'no link is made when %s has become a link',
  (what) => {
    const { root, core, entry } = makeEntry();
    const place = what === 'the entry' ? entry.dir : dirname(entry.dir);
    const moved = join(root, 'moved');
    renameSync(place, moved);
    symlinkSync(moved, place);
    repairLinks(entry, core);
    expect(readdirSync(join(entry.dir, 'node_modules'))).toEqual([]);
  },
);
