/** Without free file handles, unreadable files do not count as absent, and no such result is decided on or remembered. */
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { findCorePackage } from '../../../src/app/core.ts';
import { readInventory } from '../../../src/app/inventory.ts';
import { listLocks } from '../../../src/app/pin.ts';
import { readPlaces } from '../../../src/lock/previous.ts';
import { readNpmSettings } from '../../../src/registry/npm-settings.ts';
import { createZones } from '../../../src/resolve/zones.ts';
import { listStored } from '../../../src/store/stored.ts';
import { removeTree } from '../../support/tree.ts';

const machine = vi.hoisted(() => ({ hasHandles: true }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const limit =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      if (machine.hasHandles) return call(...args);
      throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' });
    };
  const readdirSync = limit(fs.readdirSync as (...args: unknown[]) => unknown);
  return { ...fs, openSync: limit(fs.openSync), readdirSync };
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-handles-'));
  onTestFinished(() => {
    machine.hasHandles = true;
    removeTree(root);
  });
  for (const dir of ['node_modules/dep', 'annex/alpha', 'v1/any/alpha', 'workspace']) {
    mkdirSync(join(root, dir), { recursive: true });
  }
  const write = (path: string, value: object): void =>
    writeFileSync(join(root, path), JSON.stringify(value));
  write('package.json', { dependencies: { dep: '1' } });
  write('node_modules/dep/package.json', { name: 'dep', version: '1.0.0' });
  write('annex/alpha/annex.json', { packages: { 'node_modules/a': { place: '/a.tgz' } } });
  writeFileSync(join(root, '.npmrc'), 'registry=https://registry.corp/');
  symlinkSync('../workspace', join(root, 'node_modules/workspace'));
});

const settings = () => ({
  core: { root, realRoot: root },
  declaration: { importers: [] },
});
const findZone = () => createZones(settings() as never)(join(root, '..', 'elsewhere', 'file.js'));

test.each([
  ['the copy of a package in core', () => findCorePackage('dep', root)],
  ['what core ships', () => readInventory(root)],
  ['what is locked', () => listLocks(root)],
  ['places of tarballs in a lock', () => readPlaces(join(root, 'annex/alpha'))],
  ['settings of npm', () => readNpmSettings(root, { HOME: root })],
  ['entries of a store', () => listStored(root)],
  ['packages that are linked into core', findZone],
] as const)('%s', (_, read) => {
  expect(read()).toBeDefined();
  machine.hasHandles = false;
  expect(read).toThrow('EMFILE');
});
