/** An install does a limited amount of work on files that other users can create; later installs do the rest. */
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeStaging, makeStore } from '../../../src/store/publish.ts';
import { sweepRetired } from '../../../src/store/retire.ts';
import { makeFeature } from '../../support/feature.ts';
import { makeOwner } from '../../support/locks.ts';
import { retiredRoot, stagingRoot } from '../../support/store-paths.ts';
import { ABI, ID } from '../../support/store-use.ts';
import { removeTree } from '../../support/tree.ts';

const FOREIGN = makeOwner({ place: 'abcdef012345' });

function openStore(): string {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-bounds-'));
  onTestFinished(() => removeTree(root));
  const store = join(root, 'store');
  makeStore(store, ABI);
  return store;
}

const numbers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => index.toString(16).padStart(12, '0'));

/** Names of unknown owners. */
const listOwners = (count: number): string[] =>
  numbers(count).map((number) => number + FOREIGN.slice(12));

test('an install removes at most 50 staging directories; later installs remove the rest', () => {
  const store = openStore();
  for (const owner of listOwners(120)) mkdirSync(join(stagingRoot(store), `alpha.${owner}`));
  const counts = [1, 2, 3].map(() => {
    removeTree(makeStaging(store, makeFeature('alpha')));
    return readdirSync(stagingRoot(store)).length;
  });
  expect(counts).toEqual([70, 20, 0]);
});

test('it removes a limited number of files, however few directories they are in', () => {
  const store = openStore();
  const [owner = ''] = listOwners(1);
  const dir = join(stagingRoot(store), `alpha.${owner}`);
  mkdirSync(dir);
  for (const number of numbers(250)) writeFileSync(join(dir, number), '');
  removeTree(makeStaging(store, makeFeature('alpha'), { left: 200 }));
  const [rest = ''] = readdirSync(stagingRoot(store));
  expect(readdirSync(join(stagingRoot(store), rest))).toHaveLength(50);
});

test('a prune removes every retired generation past its grace period', () => {
  const store = openStore();
  const marks = numbers(1_100).map((number) => `any.alpha.${ID}.${number}`);
  for (const mark of marks) writeFileSync(join(retiredRoot(store), mark), '');
  sweepRetired(store, Date.now() + 48 * 3_600_000, { left: 10_000 });
  expect(readdirSync(retiredRoot(store))).toHaveLength(100);
  sweepRetired(store, Date.now() + 48 * 3_600_000);
  expect(readdirSync(retiredRoot(store))).toEqual([]);
});
