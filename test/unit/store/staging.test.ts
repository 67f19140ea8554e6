/** Staging directories of dead installers are removed, those of live ones stay. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { withDir } from '../../../src/store/directory.ts';
import { makeStaging, makeStore } from '../../../src/store/publish.ts';
import { sealTree } from '../../../src/store/tree.ts';
import { makeFeature } from '../../support/feature.ts';
import { makeOwner } from '../../support/locks.ts';
import { retiredRoot, stagingRoot } from '../../support/store-paths.ts';
import { removeTree } from '../../support/tree.ts';
import { callAsPlainUser, isRoot } from '../../support/user.ts';

/** An empty store. */
function openStore(): string {
  const volume = mkdtempSync(join(realpathSync(tmpdir()), 'annex-staging-'));
  onTestFinished(() => removeTree(volume));
  chmodSync(volume, 0o777);
  makeStore(join(volume, 'store'), 'node137-linux-x64-glibc');
  return join(volume, 'store');
}

/** Leaves a sealed tree, as an installer that was killed before it published. */
function leave(dir: string): void {
  mkdirSync(join(dir, 'node_modules/alpha'), { recursive: true });
  writeFileSync(join(dir, 'node_modules/alpha/index.js'), '');
  withDir(dir, [], sealTree);
}

const listStaging = (store: string): Set<string> =>
  new Set(readdirSync(stagingRoot(store)).map((name) => join(stagingRoot(store), name)));

test.runIf(process.platform === 'linux')(
  'the next install removes the directories of dead installers, of any feature, and keeps those of live ones',
  () => {
    const store = openStore();
    const dead = makeOwner({ start: '1' });
    const left = ['search', 'search.exa', 'other'].map((slug) => `${slug}.${dead}`);
    for (const name of left) {
      leave(join(stagingRoot(store), name));
    }
    const living = ['search', 'search.exa', 'search'].map((name) =>
      makeStaging(store, makeFeature(name)),
    );
    expect(listStaging(store)).toEqual(new Set(living));
  },
);

test('the next install of a feature removes its directories of installers on other hosts, and keeps those of other features', () => {
  const store = openStore();
  const owner = makeOwner({ place: 'abcdef012345' });
  const dead = join(stagingRoot(store), `search.${owner}`);
  leave(dead);
  const others = ['search.exa', 'search-exa', 'searc'].map((slug) => {
    const dir = join(stagingRoot(store), `${slug}.${owner}`);
    mkdirSync(dir);
    return dir;
  });
  leave(join(retiredRoot(store), 'half-removed'));
  const fresh = makeStaging(store, makeFeature('search'));
  expect(listStaging(store)).toEqual(new Set([...others, fresh]));
  expect(readdirSync(retiredRoot(store))).toEqual([]);
});

test.runIf(isRoot)('a directory of another user that cannot be removed is no error', () => {
  const store = openStore();
  for (const dir of [stagingRoot(store), retiredRoot(store)]) chmodSync(dir, 0o777);
  leave(join(stagingRoot(store), `alpha.${makeOwner({ place: 'abcdef012345' })}`));
  leave(join(retiredRoot(store), 'half-removed'));
  callAsPlainUser(() => {
    const fresh = makeStaging(store, makeFeature('alpha'));
    expect(existsSync(fresh)).toBe(true);
  });
});
