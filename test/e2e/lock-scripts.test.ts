/** Install scripts: none by default; allowed ones run in staging, and the files they make are recorded. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listedValue } from '../support/entry.ts';
import { readListing } from '../support/listing.ts';
import { listEntries, lock, node } from '../support/lock-files.ts';
import { open } from '../support/scripts-world.ts';
import { digestTree } from '../support/tree.ts';

describe.concurrent(node.label, () => {
  test('a script that is not allowed does not run, and is named', async () => {
    const { sandbox, install, load } = await open('native');
    const { code, stdout, stderr } = await install();
    expect(code).toBe(0);
    expect(JSON.parse(stdout).results).toMatchObject([
      { outcome: 'installed', unrun: ['native 1.0.0'] },
    ]);
    expect(stderr).toMatch(
      /annex: native 1\.0\.0, for native: its install script was not run; .*"scripts": \["native"\]\n/,
    );
    const [entry = ''] = listEntries(sandbox);
    expect(basename(dirname(entry))).toBe('any');
    expect(readdirSync(join(entry, 'node_modules/native')).sort()).toEqual([
      'build.mjs',
      'index.js',
      'package.json',
    ]);
    expect((await load()).imported.native?.marker).toBe('native');
  });

  test('a script uses the programs of a dependency, which replace none of the system', async () => {
    const { sandbox, install } = await open('maker');
    await lock(sandbox);
    const { code, stderr } = await install();
    expect(code, stderr).toBe(0);
    const [entry = ''] = listEntries(sandbox);
    const made = join(entry, 'node_modules/maker');
    expect(readdirSync(made).sort()).toEqual([
      'index.js',
      'listed.txt',
      'made.txt',
      'package.json',
      'plain.txt',
    ]);
    expect(readFileSync(join(made, 'made.txt'), 'utf8')).toBe('with it');
    expect(readdirSync(entry)).not.toContain('home');
  });

  test('an allowed script runs without secrets, and its files are recorded', async () => {
    const { sandbox, install } = await open('user');
    await lock(sandbox);
    const { code, stdout, stderr } = await install();
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout).results).toMatchObject([
      { outcome: 'installed', unrun: ['quiet 1.0.0'] },
    ]);
    expect(stderr).not.toMatch(/native 1\.0\.0, for/);
    const [entry = ''] = listEntries(sandbox);
    expect(basename(dirname(entry))).toMatch(/^node\d+-/);
    expect(basename(entry)).toBe(
      `user.${Object.values(JSON.parse(readFileSync(join(sandbox.core, 'annex/user/annex.json'), 'utf8')).ids)[0]}.0`,
    );
    const at = (path: string) => join(entry, 'node_modules/native', path);
    const environment = readFileSync(at('environment.json'), 'utf8');
    expect(environment).not.toMatch(/sEcReT/);
    expect(Object.keys(JSON.parse(environment))).not.toContain('ANNEX_STORE');
    const made = ['build/Release/native.node', 'build/latest', 'environment.json', 'index.js'].map(
      (path) => join('node_modules/native', path),
    );
    const manifest = JSON.parse(readFileSync(join(entry, 'annex-entry.json'), 'utf8'));
    expect(manifest).toMatchObject({ scripts: ['native'] });
    const { generated } = readListing(entry);
    expect(Object.keys(generated)).toEqual(made);
    const digests = digestTree(entry);
    for (const [path, value] of Object.entries(generated)) {
      const link = /^-> (.+)$/.exec(value)?.[1];
      expect(digests[path]).toBe(
        link === undefined ? `file 0444 ${value.slice(0, 64)}` : `link ${link}`,
      );
    }
  });

  test('files that scripts made or changed in their own package are verified, and run', async () => {
    for (const isLocked of [true, false]) {
      const { sandbox, install, load } = await open('user');
      if (isLocked) await lock(sandbox);
      expect((await install()).code).toBe(0);
      const { imported, stderr } = await load();
      expect(imported.user?.marker).toBe('user');
      expect(stderr).toBe('');
    }
  });

  test('a file that no script can have made is damage, even if the listing marks it as generated', async ({
    expect,
  }) => {
    const { sandbox, env, install, load } = await open('user');
    await lock(sandbox);
    expect((await install()).code).toBe(0);
    const evil = `export const marker = 'EVIL';`;
    const planted = [
      'node_modules/native/node_modules/quiet/index.js',
      'node_modules/user/node_modules/quiet/index.js',
      'node_modules/quiet/more.js',
      'node_modules/more/index.js',
    ];
    for (const [index, path] of planted.entries()) {
      const entry = listEntries(sandbox).at(-1) ?? '';
      const listing = join(entry, 'annex-files.txt');
      const before = readFileSync(listing, 'utf8');
      await sandbox.exec('chmod', ['-R', 'u+w', entry]);
      sandbox.write(join(entry, path), evil);
      writeFileSync(listing, `${before}${listedValue(evil)}\t${path}\n`);
      const verified = await sandbox.annex(['verify', 'user', '--json'], { env });
      expect(verified.code, path).toBe(1);
      expect(JSON.parse(verified.stdout).entries.at(-1)).toMatchObject({
        problem: `annex-files.txt lists ${path} as made by a script`,
      });
      const { imported, stdout } = await load();
      expect(imported.user?.marker, path).toBe('user');
      expect(stdout).not.toContain('EVIL');
      expect(listEntries(sandbox), path).toHaveLength(index + 2);
    }
    const { stdout } = await sandbox.annex(['verify', 'user', '--json'], { env });
    expect(JSON.parse(stdout).entries.at(-1)).toMatchObject({
      differences: [],
      generated: expect.arrayContaining(['node_modules/native/environment.json']),
    });
  });
});
