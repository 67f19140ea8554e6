/** The first import installs and the second finds: messages, writes, and what stays unchanged. */
import { chmodSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cjsPackage, dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo, isRoot } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const tool: PackageFixture = {
  ...cjsPackage('tool', '3.1.0', 'a tool'),
  files: { 'index.js': 'exports.marker = "a tool";', 'run.sh': '#!/bin/sh\n' },
  modes: { 'run.sh': 0o755 },
};
const packages = [
  esmPackage('alpha', '1.2.0', 'alpha'),
  esmPackage('alpha', '2.0.0', 'alpha, out of range'),
  dependentPackage('@acme/beta', '1.0.0', 'beta', { alpha: '^1.0.0', tool: '*' }),
  esmPackage('host', '4.0.0', 'a host'),
  esmPackage('plugin', '1.0.0', 'a plugin', { peerDependencies: { host: '^4.0.0' } }),
  tool,
];
const features = {
  alpha: '^1.0.0',
  'search.beta': { packages: { '@acme/beta': '^1.0.0' } },
  plugged: { packages: { plugin: '^1.0.0', tool: '^3.0.0' } },
};

const open = (options: { copyAnnex?: boolean } = {}) =>
  openWorld({ packages, annex: { features }, ...options });

const entriesOf = (sandbox: Sandbox, abi = 'any'): string[] =>
  Object.keys(sandbox.digest(join(sandbox.store, 'v1', abi))).filter((path) =>
    /^[^/]+\.[0-9a-f]{32}\.0$/.test(path),
  );

describe.concurrent.each(nodes)('G2: entries are only added, $label', (node) => {
  test('G2, G7: one line at the start and one at the end; then neither lines, requests nor writes', async () => {
    const { sandbox, registry } = await open({ copyAnnex: true });
    giveTo(asPlainUser, dirname(sandbox.store));
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store }, ...asPlainUser };
    const core = sandbox.digest(sandbox.core);

    const first = await importIn(sandbox, ['alpha', '@acme/beta'], options);
    expect(first.imported.alpha).toEqual({ marker: 'alpha', version: '1.2.0' });
    expect(first.imported['@acme/beta']).toEqual({ marker: 'beta', version: '1.0.0' });
    expect(first.lines).toEqual([
      `annex: installing alpha (alpha@^1.0.0, not locked) into ${sandbox.store}`,
      expect.stringMatching(
        /^annex: installed alpha 1\.2\.0 in \d+\.\d s \(1 package, \d+\.\d MB\)$/,
      ),
      `annex: installing search.beta (@acme/beta@^1.0.0, not locked) into ${sandbox.store}`,
      expect.stringMatching(/^annex: installed @acme\/beta 1\.0\.0 in \d+\.\d s \(3 packages, /),
    ]);
    expect(sandbox.digest(sandbox.core)).toEqual(core);

    const written = sandbox.digest(sandbox.store);
    const asked = registry.requests.length;
    await registry.stop();
    for (const path of ['v1/any', 'v1/locks', 'v1/staging', 'v1/failures', 'v1', '.']) {
      chmodSync(join(sandbox.store, path), 0o555);
    }
    const second = await importIn(sandbox, ['alpha', '@acme/beta'], options);
    expect(second.imported).toEqual(first.imported);
    expect(second.stderr).toBe('');
    giveTo({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }, sandbox.store);
    const third = await importIn(sandbox, ['alpha', '@acme/beta'], options);
    expect(third.imported).toEqual(first.imported);
    expect(third.stderr).toBe('');
    expect(registry.requests).toHaveLength(asked);
    for (const path of ['v1/any', 'v1/locks', 'v1/staging', 'v1/failures', 'v1', '.']) {
      chmodSync(join(sandbox.store, path), 0o755);
    }
    expect(sandbox.digest(sandbox.store)).toEqual(written);
    expect(sandbox.digest(sandbox.core)).toEqual(core);
  });

  test('G4: whatever the umask, an entry is 0755 at the top and read-only inside, with execute bits kept', async () => {
    const { sandbox } = await open({ copyAnnex: true });
    giveTo(asPlainUser, dirname(sandbox.store));
    const { imported } = await importIn(sandbox, ['plugin'], {
      node: node.path,
      env: { ANNEX_STORE: sandbox.store },
      flags: ['--import', 'data:text/javascript,process.umask(0o077)'],
      ...asPlainUser,
    });
    expect(imported.plugin).toMatchObject({ marker: 'a plugin' });
    const [name = ''] = entriesOf(sandbox);
    const { '.': top, ...inside } = sandbox.digest(join(sandbox.store, 'v1', 'any', name));
    expect(top).toBe('directory 0755');
    const modes = Object.entries(inside).map(([path, facts]) => [
      path,
      facts.split(' ').slice(0, 2).join(' '),
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      'annex-entry.json': 'file 0444',
      'annex-files.txt': 'file 0444',
      'package.json': 'file 0444',
      node_modules: 'directory 0555',
      ...Object.fromEntries(
        ['host', 'plugin', 'tool'].flatMap((pkg) => [
          [`node_modules/${pkg}`, 'directory 0555'],
          [`node_modules/${pkg}/package.json`, 'file 0444'],
          [`node_modules/${pkg}/index.js`, 'file 0444'],
        ]),
      ),
      'node_modules/tool/run.sh': 'file 0555',
    });
  });

  test('G2: installing one feature changes no byte of another', async () => {
    const { sandbox } = await open();
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    await importIn(sandbox, ['alpha'], options);
    const [first = ''] = entriesOf(sandbox);
    const entry = join(sandbox.store, 'v1', 'any', first);
    const before = sandbox.digest(entry);
    await importIn(sandbox, ['@acme/beta', 'plugin'], options);
    expect(entriesOf(sandbox)).toHaveLength(3);
    expect(sandbox.digest(entry)).toEqual(before);
  });

  test('the manifest lists the content of the entry and its feature', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store, ANNEX_LOG: 'error' };
    const { stdout, stderr, code } = await sandbox.annex(['install', 'plugged', '--json'], {
      node: node.path,
      env,
    });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const [result] = JSON.parse(stdout).results as [{ dir: string }];
    expect(result).toMatchObject({
      feature: 'plugged',
      outcome: 'installed',
      versions: { plugin: '1.0.0', tool: '3.1.0' },
    });
    const manifest = JSON.parse(readFileSync(join(result.dir, 'annex-entry.json'), 'utf8'));
    expect(manifest).toMatchObject({
      format: 2,
      feature: 'plugged',
      specs: { plugin: '^1.0.0', tool: '^3.0.0' },
      private: ['host', 'plugin', 'tool'],
      abi: 'any',
      tool: expect.stringMatching(/^annex@\d/),
    });
    expect(manifest.closure).toEqual(
      ['host', 'plugin', 'tool'].map((name) => ({
        path: `node_modules/${name}`,
        name,
        version: packages.findLast((pkg) => pkg.name === name)?.version,
        integrity: expect.stringMatching(/^sha512-/),
      })),
    );
    expect(readFileSync(join(result.dir, 'package.json'), 'utf8')).toBe('{"private":true}');
    const again = await sandbox.annex(['install', 'plugged', '--json'], { node: node.path, env });
    expect(JSON.parse(again.stdout).results).toEqual([
      expect.objectContaining({ outcome: 'present' }),
    ]);
    expect(again.stderr).toBe('');
  });

  test('a wider range uses the installed version; a range without it installs another', async () => {
    const { sandbox } = await open();
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    await importIn(sandbox, ['alpha'], options);
    sandbox.setCore({ features: { alpha: '>=1' } });
    const wider = await importIn(sandbox, ['alpha'], options);
    expect(wider.imported.alpha).toMatchObject({ version: '1.2.0' });
    expect(wider.lines).toEqual([]);
    sandbox.setCore({ features: { alpha: '^2.0.0' } });
    const newer = await importIn(sandbox, ['alpha'], options);
    expect(newer.imported.alpha).toMatchObject({ version: '2.0.0' });
    expect(newer.lines).toHaveLength(2);
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const back = await importIn(sandbox, ['alpha'], options);
    expect(back.imported.alpha).toMatchObject({ version: '1.2.0' });
    expect(back.lines).toEqual([]);
  });

  test.runIf(isRoot)('users of a group share a volume of the group', async () => {
    const { sandbox } = await open({ copyAnnex: true });
    giveTo({ uid: 0, gid: 2000 }, dirname(sandbox.store));
    chmodSync(dirname(sandbox.store), 0o2775);
    const env = { ANNEX_STORE: dirname(sandbox.store) };
    const as = (uid: number) => ({ node: node.path, env, uid, gid: 2000 });
    const one = await importIn(sandbox, ['alpha'], as(5001));
    expect(one.imported.alpha).toMatchObject({ marker: 'alpha' });
    const two = await importIn(sandbox, ['alpha', 'plugin'], as(5002));
    expect(two.imported).toMatchObject({
      alpha: { marker: 'alpha' },
      plugin: { marker: 'a plugin' },
    });
    expect(two.lines).toHaveLength(2);
    const three = await importIn(sandbox, ['plugin'], as(5001));
    expect(three.imported.plugin).toMatchObject({ marker: 'a plugin' });
    expect(three.lines).toEqual([]);
    const stranger = await importIn(sandbox, ['alpha'], { ...as(5003), gid: 5003 });
    expect(stranger.imported.alpha?.cause?.code).toBe('ANNEX_STORE_UNUSABLE');
  });
});
