/** Install scripts that write outside their packages are refused and leave nothing. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listEntries, listStaging, lock, node } from '../support/lock-files.ts';
import { open } from '../support/scripts-world.ts';

describe.concurrent(node.label, () => {
  test('a script that adds packages below its own is refused, with the file', async () => {
    const { sandbox, install } = await open('nester');
    const { code, stderr } = await install();
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /an install script of nester changed node_modules\/nester\/node_modules\/quiet\/index\.js/,
    );
    expect(listEntries(sandbox)).toEqual([]);
  });

  test('a script that changes a package whose scripts may not run is refused, with the file', async () => {
    for (const isLocked of [true, false]) {
      const { sandbox, install } = await open('patcher');
      if (isLocked) await lock(sandbox);
      const { code, stderr } = await install();
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /ANNEX_INSTALL_FAILED\): an install script of patcher changed node_modules\/quiet\/index\.js, and a script may only change its own package/,
      );
      expect(listEntries(sandbox)).toEqual([]);
      expect(listStaging(sandbox)).toEqual([]);
    }
  });

  test('files and links out of its package are removed', async () => {
    const { sandbox, install } = await open('user');
    expect((await install()).code).toBe(0);
    const [entry = ''] = listEntries(sandbox);
    expect(readdirSync(entry).sort()).toEqual([
      'annex-entry.json',
      'annex-files.txt',
      'node_modules',
      'package.json',
    ]);
    expect(readFileSync(join(entry, 'package.json'), 'utf8')).toBe('{"private":true}');
    const built = join(entry, 'node_modules/native/build');
    expect(readdirSync(built).sort()).toEqual(['Release', 'latest']);
    expect(lstatSync(join(built, 'latest')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(built, 'latest/native.node'))).toBe(true);
    expect(readdirSync(join(entry, 'node_modules')).sort()).toEqual(['native', 'quiet', 'user']);
  });

  test('a script that fails is reported with its package, and nothing is published', async () => {
    const { sandbox, load } = await open('failing');
    const { imported } = await load();
    expect(imported.failing?.code).toBe('ERR_MODULE_NOT_FOUND');
    expect(imported.failing?.cause).toMatchObject({ code: 'ANNEX_INSTALL_FAILED' });
    expect(imported.failing?.cause?.message).toMatch(
      /an install script of failing failed: no compiler, /,
    );
    expect(listEntries(sandbox)).toEqual([]);
    expect(listStaging(sandbox)).toEqual([]);
  });
});
