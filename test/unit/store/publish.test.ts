/** Entries are built, sealed, published and removed, mostly as a plain user: a mode does not restrict root. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { abiRoot, parseEntryName } from '../../../src/base/store-layout.ts';
import { findStoreDistrust } from '../../../src/store/access.ts';
import { withDir } from '../../../src/store/directory.ts';
import { makeStaging, makeStore, publish } from '../../../src/store/publish.ts';
import { discard, findRetirement, GRACE, retire, sweepRetired } from '../../../src/store/retire.ts';
import { measureTree, removeIn, sealTree } from '../../../src/store/tree.ts';
import { makeFeature } from '../../support/feature.ts';
import { retiredRoot, stagingRoot } from '../../support/store-paths.ts';
import { removeTree as cleanUp, digestTree } from '../../support/tree.ts';
import { callAsPlainUser } from '../../support/user.ts';

const removeTree = (path: string): void =>
  withDir(dirname(path), [], (dir) => removeIn(dir, basename(path)));

const abi = 'node137-linux-x64-glibc';
const id = '0123456789abcdef0123456789abcdef';

/** Makes a volume of a mode; returns the path of a store that does not exist yet. */
function makeVolume(mode = 0o777): string {
  const volume = mkdtempSync(join(realpathSync(tmpdir()), 'annex-publish-'));
  onTestFinished(() => cleanUp(volume));
  chmodSync(volume, mode);
  return join(volume, 'store');
}

/** Runs with another umask. */
function withUmask<T>(mask: number, run: () => T): T {
  const before = process.umask(mask);
  try {
    return run();
  } finally {
    process.umask(before);
  }
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

/** Writes files by path below a directory. */
function fill(directory: string, files: Record<string, number>): void {
  for (const [path, mode] of Object.entries(files)) {
    const target = join(directory, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, path);
    chmodSync(target, mode);
  }
}

const files = {
  'node_modules/alpha/package.json': 0o644,
  'node_modules/alpha/bin/run.sh': 0o755,
  'node_modules/alpha/bin/own.sh': 0o700,
  'node_modules/alpha/open.js': 0o666,
  'node_modules/alpha/setuid': 0o4755,
  'node_modules/@acme/beta/deep/er/index.js': 0o600,
};

test('a sealed tree is 0555 and 0444, with execute bits and without set-id bits', () => {
  const store = makeVolume();
  callAsPlainUser(() => {
    fill(store, files);
    withDir(store, ['node_modules'], sealTree);
    const bytes = Object.keys(files).reduce((total, path) => total + path.length, 0);
    expect(measureTree(join(store, 'node_modules'))).toBe(bytes);
    const modes = Object.keys(files).map((path) => modeOf(join(store, path)));
    expect(modes).toEqual(['444', '555', '555', '444', '555', '444']);
    for (const dir of ['', 'alpha', 'alpha/bin', '@acme', '@acme/beta', '@acme/beta/deep/er']) {
      expect(modeOf(join(store, 'node_modules', dir))).toBe('555');
    }
  });
});

test.each([0o000, 0o002, 0o022, 0o077])('umask %o gives a store that its user trusts', (mask) => {
  const make = (store: string) => () => {
    withUmask(mask, () => makeStore(store, abi));
    const staging = withUmask(mask, () => makeStaging(store, makeFeature('alpha')));
    expect(findStoreDistrust(store)).toBeUndefined();
    for (const dir of [store, abiRoot(store, abi), stagingRoot(store), staging]) {
      expect(lstatSync(dir).mode & 0o702).toBe(0o700);
    }
  };
  callAsPlainUser(make(makeVolume()));
  make(makeVolume(0o755))();
});

test('a group that may write a store may write its directories', () => {
  const store = makeVolume();
  mkdirSync(store);
  chmodSync(store, 0o2775);
  withUmask(0o022, () => makeStore(store, abi));
  for (const name of ['', 'any', abi, 'staging', 'locks', 'failures', 'retired']) {
    expect(modeOf(join(store, 'v1', name))).toBe('2775');
  }
});

test('an existing store does not change', () => {
  const store = makeVolume();
  makeStore(store, abi);
  chmodSync(join(store, 'v1'), 0o750);
  utimesSync(join(store, 'v1', 'any'), 1, 1);
  const before = digestTree(store);
  makeStore(store, abi);
  expect(digestTree(store)).toEqual(before);
  expect(lstatSync(join(store, 'v1', 'any')).mtimeMs).toBe(1000);
});

test('a published entry has mode 0755 at the top and appears whole; a generation is never replaced', () => {
  const store = makeVolume();
  const name = { abi: 'any', slug: 'alpha', id, nonce: '0' };
  callAsPlainUser(() => {
    makeStore(store, abi);
    const staging = makeStaging(store, makeFeature('alpha'));
    fill(staging, files);
    chmodSync(staging, 0o700);
    withDir(staging, ['node_modules'], sealTree);
    const target = publish(store, staging, name) ?? '';
    expect(target).toBe(join(abiRoot(store, 'any'), `alpha.${id}.0`));
    expect(modeOf(target)).toBe('755');
    expect(existsSync(staging)).toBe(false);
    const before = digestTree(target);

    const second = makeStaging(store, makeFeature('alpha'));
    fill(second, { 'other.js': 0o644 });
    expect(publish(store, second, name)).toBeUndefined();
    expect(digestTree(target)).toEqual(before);
    expect(publish(store, second, { ...name, nonce: '1' })).toMatch(/\.1$/);
  });
});

test('a read-only entry is discarded', () => {
  const store = makeVolume();
  callAsPlainUser(() => {
    makeStore(store, abi);
    const staging = makeStaging(store, makeFeature('alpha'));
    fill(staging, files);
    withDir(staging, ['node_modules'], sealTree);
    const entry = publish(store, staging, { abi: 'any', slug: 'alpha', id, nonce: '0' }) ?? '';
    discard(store, entry);
    expect(readdirSync(abiRoot(store, 'any'))).toEqual([]);
    expect(readdirSync(retiredRoot(store))).toEqual([]);
  });
});

test('a retired generation keeps its files for the grace period, and its name until it is gone', () => {
  const store = makeVolume();
  callAsPlainUser(() => {
    makeStore(store, abi);
    const name = { abi: 'any', slug: 'alpha', id, nonce: '0' };
    const make = (nonce: string): string | undefined => {
      const staging = makeStaging(store, makeFeature('alpha'));
      fill(staging, files);
      withDir(staging, ['node_modules'], sealTree);
      return publish(store, staging, { ...name, nonce });
    };
    const entry = make('0') ?? '';
    expect(findRetirement(store, entry)).toBeUndefined();
    retire(store, entry, 'a.js is not what was installed');
    retire(store, entry, 'a second reason');
    expect(findRetirement(store, entry)?.reason).toBe('a.js is not what was installed');
    const now = Date.now();
    for (const soon of [now, now + GRACE - 60_000, now - GRACE + 60_000])
      expect(sweepRetired(store, soon)).toEqual([]);
    expect(existsSync(entry)).toBe(true);

    removeTree(entry);
    expect(make('0')).toBeUndefined();
    expect(make('1')).toMatch(/\.1$/);
    expect(sweepRetired(store, now + GRACE + 60_000)).toEqual([]);
    expect(findRetirement(store, entry)).toBeUndefined();
    retire(store, make('0') ?? '', '');
    expect(sweepRetired(store, now + GRACE + 60_000)).toEqual([entry]);
    expect(readdirSync(abiRoot(store, 'any'))).toEqual([`alpha.${id}.1`]);
    expect(readdirSync(retiredRoot(store))).toEqual([]);
  });
});

test('a clock that was set back does not extend the grace period', () => {
  const store = makeVolume();
  makeStore(store, abi);
  const entry = join(abiRoot(store, 'any'), `alpha.${id}.0`);
  fill(entry, files);
  retire(store, entry, 'for a test');
  expect(sweepRetired(store, Date.now() - GRACE - 60_000)).toEqual([entry]);
});

test('a read-only tree is removed with its links, not with their targets; an absent one is no error', () => {
  const store = makeVolume();
  callAsPlainUser(() => {
    fill(store, { 'tree/a/b.js': 0o444, 'kept/c.js': 0o644 });
    symlinkSync(join(store, 'kept'), join(store, 'tree/a/link'));
    symlinkSync(join(store, 'kept'), join(store, 'link'));
    for (const dir of ['tree/a', 'tree']) chmodSync(join(store, dir), 0o555);
    removeTree(join(store, 'tree'));
    removeTree(join(store, 'link'));
    removeTree(join(store, 'absent'));
    expect(readdirSync(store)).toEqual(['kept']);
    expect(readFileSync(join(store, 'kept/c.js'), 'utf8')).toBe('kept/c.js');
  });
});

test('names of entries are parsed; other names are not entries', () => {
  expect(parseEntryName(`a.b-c.${id}.0`)).toEqual({ slug: 'a.b-c', id, nonce: '0' });
  for (const name of [`alpha.${id}`, `alpha.${id}.0.tmp`, `Alpha.${id}.0`, `.${id}.0`, 'x', '']) {
    expect(parseEntryName(name)).toBeUndefined();
  }
});
