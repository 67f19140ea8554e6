/** Tarballs that are kept between two tries: verified, limited in age and number, never through a link. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { computeIntegrity, readDigests } from '../../../src/base/digest.ts';
import { dropKept, openKept, sweepKept } from '../../../src/store/kept.ts';
import { makeStaging, makeStore } from '../../../src/store/publish.ts';
import { makeFeature } from '../../support/feature.ts';
import { stagingRoot } from '../../support/store-paths.ts';
import { removeTree } from '../../support/tree.ts';

const DAY = 24 * 3_600_000;
const bytes = Buffer.from('a tarball');
const digests = readDigests(computeIntegrity(bytes, 'sha512'));

function openStore(): { store: string; dir: string } {
  const volume = mkdtempSync(join(realpathSync(tmpdir()), 'annex-kept-'));
  onTestFinished(() => removeTree(volume));
  const store = join(volume, 'store');
  makeStore(store, 'node137-linux-x64-glibc');
  return { store, dir: join(stagingRoot(store), 'search.kept') };
}

/** Keeps one tarball; returns the path of its file. */
function keepOne(store: string, dir: string): string {
  openKept(store, 'search').keep(digests, bytes);
  const [name = ''] = readdirSync(dir);
  return join(dir, name);
}

const take = (store: string, maxBytes = 1_000): string | undefined =>
  openKept(store, 'search').take(digests, maxBytes)?.toString();

test('a tarball is found by the next try of the same feature alone, and nothing is made before', () => {
  const { store, dir } = openStore();
  expect(take(store)).toBeUndefined();
  expect(existsSync(dir)).toBe(false);
  keepOne(store, dir);
  expect(take(store)).toBe('a tarball');
  expect(openKept(store, 'other').take(digests, 1_000)).toBeUndefined();
  dropKept(store, 'search');
  expect(readdirSync(stagingRoot(store))).toEqual([]);
});

test('a damaged or larger tarball is not taken, and a damaged one is replaced', () => {
  const { store, dir } = openStore();
  const path = keepOne(store, dir);
  expect(take(store, 8)).toBeUndefined();
  truncateSync(path, 4);
  expect(take(store)).toBeUndefined();
  keepOne(store, dir);
  expect(take(store)).toBe('a tarball');
});

test('a file larger than the limit of a feature is not read, whatever the caller accepts', () => {
  const { store, dir } = openStore();
  truncateSync(keepOne(store, dir), 512 * 2 ** 20 + 1);
  const before = process.memoryUsage().arrayBuffers;
  expect(take(store, 2 ** 31)).toBeUndefined();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
});

test('what another user writes meanwhile is never taken: the bytes that are returned are those that were hashed', async () => {
  const { store, dir } = openStore();
  const sound = Buffer.alloc(300_000, 'sound');
  const wanted = readDigests(computeIntegrity(sound, 'sha512'));
  openKept(store, 'search').keep(wanted, sound);
  const [name = ''] = readdirSync(dir);
  // Writes over the file, cuts it and replaces it, as anybody can who may write the store.
  const program = `
    const { closeSync, openSync, renameSync, truncateSync, writeFileSync, writeSync } = require('node:fs');
    const [, path, length] = process.argv;
    const sound = Buffer.alloc(Number(length), 'sound');
    const evil = Buffer.alloc(Number(length), 'wrong');
    process.stdout.write('ready');
    for (;;) {
      const file = openSync(path, 'r+');
      for (let turn = 0; turn < 50; turn++) {
        writeSync(file, turn % 2 ? sound : evil, 0, undefined, 0);
      }
      closeSync(file);
      writeFileSync(path, evil);
      truncateSync(path, 5);
      writeFileSync(path + '.new', sound);
      renameSync(path + '.new', path);
    }`;
  const args = ['-e', program, join(dir, name), `${sound.length}`];
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void writer.kill('SIGKILL'));
  await once(writer.stdout, 'data');
  const kept = openKept(store, 'search');
  const count = { taken: 0, refused: 0 };
  const end = performance.now() + 60_000;
  while ((count.taken < 100 || count.refused < 100) && performance.now() < end) {
    const found = kept.take(wanted, sound.length);
    if (found === undefined) count.refused += 1;
    else {
      count.taken += 1;
      expect(found.equals(sound)).toBe(true);
    }
  }
  expect(count.taken).toBeGreaterThanOrEqual(100);
  expect(count.refused).toBeGreaterThanOrEqual(100);
});

test('a weak digest keeps and takes nothing', () => {
  const { store, dir } = openStore();
  const weak = readDigests(computeIntegrity(bytes, 'sha1'));
  openKept(store, 'search').keep(weak, bytes);
  expect(existsSync(dir)).toBe(false);
  keepOne(store, dir);
  expect(openKept(store, 'search').take(weak, 1_000)).toBeUndefined();
});

test('no link is followed, neither of the directory nor of a file', () => {
  const { store, dir } = openStore();
  const elsewhere = join(store, '..', 'elsewhere');
  mkdirSync(elsewhere);
  symlinkSync(elsewhere, dir);
  openKept(store, 'search').keep(digests, bytes);
  expect(readdirSync(elsewhere)).toEqual([]);
  dropKept(store, 'search');
  expect(lstatSync(elsewhere).isDirectory()).toBe(true);

  const path = keepOne(store, dir);
  const target = join(elsewhere, 'target');
  writeFileSync(target, bytes);
  removeTree(path);
  symlinkSync(target, path);
  expect(take(store)).toBeUndefined();
  keepOne(store, dir);
  expect(lstatSync(path).isFile()).toBe(true);
  expect(lstatSync(target).isFile()).toBe(true);
});

test('tarballs are kept up to a thousand, and up to 512 MiB', () => {
  const { store, dir } = openStore();
  const path = keepOne(store, dir);
  truncateSync(path, 512 * 2 ** 20);
  const more = Buffer.from('another tarball');
  const other = readDigests(computeIntegrity(more, 'sha512'));
  openKept(store, 'search').keep(other, more);
  expect(readdirSync(dir)).toHaveLength(1);
  truncateSync(path, 1);
  for (let count = 1; count < 1_000; count++) writeFileSync(join(dir, `${count}`), '');
  openKept(store, 'search').keep(other, more);
  expect(readdirSync(dir)).toHaveLength(1_000);
});

test('after a day a tarball is not taken, and the next install of any feature removes it', () => {
  const { store, dir } = openStore();
  const path = keepOne(store, dir);
  makeStaging(store, makeFeature('other'));
  expect(take(store)).toBe('a tarball');
  const old = (Date.now() - DAY - 60_000) / 1_000;
  utimesSync(path, old, old);
  expect(take(store)).toBeUndefined();
  makeStaging(store, makeFeature('other'));
  expect(existsSync(dir)).toBe(false);
});

test('a sweep looks at kept tarballs alone', () => {
  const { store } = openStore();
  const other = join(stagingRoot(store), 'other');
  mkdirSync(other);
  sweepKept(store, Date.now() + 2 * DAY);
  expect(existsSync(other)).toBe(true);
});
