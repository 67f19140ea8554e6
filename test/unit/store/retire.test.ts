/** Marks of retired entries that other processes write and remove. */
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { abiRoot, toEntryName } from '../../../src/base/store-layout.ts';
import { makeStore } from '../../../src/store/publish.ts';
import { findRetirement, restore, retire, UNNEEDED } from '../../../src/store/retire.ts';
import { ABI, ID } from '../../support/store-use.ts';
import { removeTree } from '../../support/tree.ts';

function open() {
  const store = mkdtempSync(join(realpathSync(tmpdir()), 'annex-retire-'));
  onTestFinished(() => removeTree(store));
  makeStore(store, ABI);
  const entry = join(abiRoot(store, ABI), toEntryName({ slug: 'alpha', id: ID, nonce: '0' }));
  return { store, entry };
}

test('a mark is gone when this process removes it, and when another one has', () => {
  const { store, entry } = open();
  retire(store, entry, UNNEEDED);
  expect(findRetirement(store, entry)?.reason).toBe(UNNEEDED);
  expect(restore(store, entry)).toBe(true);
  expect(findRetirement(store, entry)).toBeUndefined();
  expect(restore(store, entry)).toBe(true);
});

test('messages repeat the start of a long reason', () => {
  const { store, entry } = open();
  retire(store, entry, UNNEEDED + 'x'.repeat(60_000));
  expect(findRetirement(store, entry)?.reason).toBe(UNNEEDED + 'x'.repeat(1_000 - UNNEEDED.length));
});
