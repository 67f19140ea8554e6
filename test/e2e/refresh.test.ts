/** `annex refresh` updates installed features to their current declarations. */
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { listEntries, lock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { declare, later, open, plant, read } from '../support/refresh-world.ts';

describe.each(outerNodes)('$label', (node) => {
  test('another range, another ABI, a layer: installed beside the old entry; an entry that fits stays', async () => {
    const { sandbox, registry, refresh, install, load } = await open(node);
    await install('alpha', 'beta');
    plant(sandbox, 'gamma', { abi: 'node1-linux-x64-glibc' });
    const before = sandbox.digest(sandbox.store);
    await registry.add(...later);
    sandbox.setCore({ features: { ...declare('^1.0.0'), beta: '^2.0.0' } });
    const result = read(await refresh());
    expect(result).toMatchObject({
      alpha: { outcome: 'current', versions: { alpha: '1.0.0' } },
      beta: { outcome: 'refreshed', versions: { beta: '2.0.0' } },
      gamma: { outcome: 'refreshed', versions: { gamma: '1.0.0' } },
    });
    expect(result, 'what nobody has used is not installed').not.toHaveProperty('delta');
    expect(await load('alpha', 'beta', 'gamma')).toMatchObject({
      alpha: { marker: 'first alpha' },
      beta: { marker: 'second beta' },
      gamma: { marker: 'first gamma' },
    });
    expect(sandbox.digest(sandbox.store), 'what was there is as it was').toMatchObject(before);

    const asked = registry.requests.length;
    const again = read(await refresh());
    expect(Object.values(again).map(({ outcome }) => outcome)).toEqual(Array(3).fill('current'));
    expect(registry.requests).toHaveLength(asked);
  });

  test('a layer whose entry no longer fits: a new entry is installed in the store', async () => {
    const { sandbox, refresh } = await open(node);
    const layer = join(sandbox.root, 'layer');
    plant(sandbox, 'alpha', { store: layer, abi: 'node1-linux-x64-glibc' });
    plant(sandbox, 'beta', { store: layer });
    const before = sandbox.digest(layer);
    const env = { ANNEX_STORE: [sandbox.store, layer].join(':') };
    expect(read(await refresh({ env }))).toMatchObject({
      alpha: { outcome: 'refreshed', dir: expect.stringContaining(sandbox.store) },
      beta: { outcome: 'current', dir: expect.stringContaining(layer) },
    });
    expect(sandbox.digest(layer)).toEqual(before);
  });

  test('G4: damaged and retired entries are restored as the next generation', async () => {
    const { sandbox, refresh, install, load } = await open(node);
    await install('alpha', 'beta');
    const [alpha = '', beta = ''] = listEntries(sandbox);
    chmodSync(join(alpha, 'annex-entry.json'), 0o644);
    rmSync(join(alpha, 'annex-entry.json'));
    sandbox.write(join(sandbox.store, 'v1', 'retired', `any.${basename(beta)}`), 'for a test');
    expect(await load('alpha')).toMatchObject({ alpha: { cause: { code: 'ANNEX_INTEGRITY' } } });
    expect(read(await refresh())).toMatchObject({
      alpha: { outcome: 'restored', dir: alpha.replace(/0$/, '1') },
      beta: { outcome: 'restored', dir: beta.replace(/0$/, '1') },
    });
    expect(await load('alpha', 'beta')).toMatchObject({
      alpha: { marker: 'first alpha' },
      beta: { marker: 'first beta' },
    });
  });

  test('G5: an entry with an edited file is restored; with installs off it is unavailable', async () => {
    const { sandbox, refresh, install, load } = await open(node);
    await install('alpha');
    const [entry = ''] = listEntries(sandbox);
    const file = join(entry, 'node_modules', 'alpha', 'index.js');
    chmodSync(file, 0o644);
    writeFileSync(file, 'export const marker = "edited";');
    const off = await refresh({ env: { ANNEX_ALLOW_INSTALLS: '0' } });
    expect(read(off)).toMatchObject({ alpha: { outcome: 'skipped', code: 'ANNEX_INTEGRITY' } });
    expect(await load('alpha')).toMatchObject({ alpha: { code: 'ERR_MODULE_NOT_FOUND' } });
    expect(read(await refresh())).toMatchObject({
      alpha: { outcome: 'restored', dir: entry.replace(/0$/, '1') },
    });
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'first alpha' } });
  });

  test('another lock: the locked entry is installed, offline the old one stays and is not used', async () => {
    const { sandbox, registry, refresh, install, load } = await open(node);
    await install('alpha', 'beta');
    const before = sandbox.digest(sandbox.store);
    await registry.add(...later);
    sandbox.setCore({ features: { alpha: '>=1', beta: '^1.0.0' } });
    await lock(sandbox);
    await registry.stop();
    const offline = await refresh();
    expect(read(offline)).toMatchObject({
      alpha: { outcome: 'failed', code: 'ANNEX_OFFLINE', reason: expect.any(String) },
      beta: { outcome: 'current' },
    });
    expect(offline.stderr).toMatch(/alpha unavailable \(ANNEX_OFFLINE\)/);
    expect(sandbox.digest(sandbox.store)).toMatchObject(before);
    expect(await load('alpha', 'beta')).toMatchObject({
      alpha: { code: 'ERR_MODULE_NOT_FOUND' },
      beta: { marker: 'first beta' },
    });
  });

  test('a failure stops no other feature, and an earlier failure is retried', async () => {
    const { sandbox, registry, refresh, load } = await open(node);
    const features = { late: '^1.0.0', alpha: '^1.0.0' };
    sandbox.setCore({ features });
    for (const name of Object.keys(features)) {
      plant(sandbox, name, { abi: 'node1-linux-x64-glibc' });
    }
    expect(read(await refresh())).toMatchObject({
      late: {
        outcome: 'failed',
        code: 'ANNEX_INSTALL_FAILED',
        reason: expect.stringMatching(/late/),
      },
      alpha: { outcome: 'refreshed' },
    });
    expect(readdirSync(join(sandbox.store, 'v1', 'failures'))).toEqual(['late.json']);
    await registry.add(esmPackage('late', '1.0.0', 'late'));
    expect(read(await refresh())).toMatchObject({ late: { outcome: 'refreshed' } });
    expect(await load('late')).toMatchObject({ late: { marker: 'late' } });
  });
});
