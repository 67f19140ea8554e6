/** An older annex beside a newer one, and layers behind a store: each changes only its own entries (G2). */
import { mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { copyLocks, listEntries, lock, readLock } from '../support/lock-files.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { removeTree } from '../support/tree.ts';
import { openWorld } from '../support/world.ts';

const packages = [
  esmPackage('alpha', '1.0.0', 'registry'),
  esmPackage('beta', '1.0.0', 'registry'),
  esmPackage('multi', '1.0.0', 'registry', {
    optionalDependencies: { 'multi-linux': '1.0.0', 'multi-darwin': '1.0.0' },
  }),
  ...['linux', 'darwin'].map((os) => esmPackage(`multi-${os}`, '1.0.0', os, { os: [os] })),
];
const features = { alpha: '^1.0.0', beta: '^1.0.0' };

async function open(node: NodeUnderTest) {
  const world = await openWorld({ packages, annex: { features }, node: node.path });
  const { sandbox } = world;
  const layers = ['near', 'far'].map((name) => join(sandbox.root, name)) as [string, string];
  const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
  const env = { ANNEX_STORE: [sandbox.store, ...layers].join(delimiter), ANNEX_CONFIG };
  return {
    ...world,
    layers,
    env,
    plant: (store: string, name: string, version: string, options: object = {}) =>
      sandbox.plantEntry({
        feature: name,
        packages: [esmPackage(name, version, basename(store))],
        specs: { [name]: `^${version}` },
        store,
        ...options,
      }),
    annex: async (...args: string[]) => {
      const ended = await sandbox.annex([...args, '--json'], { env });
      expect(ended.code, ended.stderr).toBe(0);
      return JSON.parse(ended.stdout);
    },
    load: async (name: string, allow = '0') => {
      const options = { env: { ...env, ANNEX_ALLOW_INSTALLS: allow } };
      return (await importIn(sandbox, [name], options)).imported[name];
    },
  };
}

/** Retires an entry in its own store, hours ago. */
function retire(sandbox: Sandbox, entry: string, hours: number): string {
  const name = `${basename(dirname(entry))}.${basename(entry)}`;
  const mark = sandbox.write(join(entry, '../../retired', name), 'for a test');
  const at = Date.now() / 1000 - hours * 3600;
  utimesSync(mark, at, at);
  return mark;
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test('beside a newer annex: its directory and its entries are neither loaded nor changed', async () => {
    const { sandbox, annex, load, plant } = await open(node);
    await annex('install', 'alpha');
    const [own = ''] = listEntries(sandbox);
    const name = basename(own);
    // The newer one knows v1 and has published an entry of its own format in the place of ours.
    removeTree(own);
    const [, id = ''] = name.split('.');
    const newer = plant(sandbox.store, 'alpha', '1.5.0', { id, manifest: { format: 3 } });
    expect(basename(newer)).toBe(name);
    plant(join(sandbox.root, 'volume', 'other'), 'alpha', '1.9.0');
    await sandbox.exec('mv', ['../volume/other/v1', join(sandbox.store, 'v2')]);
    mkdirSync(join(sandbox.store, 'v2', 'staging', 'alpha.x'), { recursive: true });
    const two = sandbox.digest(join(sandbox.store, 'v2'));
    const before = sandbox.digest(newer);

    expect(await load('alpha')).toMatchObject({ cause: { code: 'ANNEX_DENIED' } });
    expect((await annex('refresh')).results).toMatchObject([{ outcome: 'restored' }]);
    expect(await load('alpha')).toMatchObject({ version: '1.0.0', marker: 'registry' });
    const stale = plant(sandbox.store, 'beta', '0.1.0');
    retire(sandbox, stale, 25);
    await annex('prune', '--days', '0');
    await annex('install', 'beta');
    await annex('uninstall', 'alpha');
    await annex('uninstall', 'beta');
    expect(listEntries(sandbox)).toEqual([newer]);
    expect(sandbox.digest(newer)).toEqual(before);
    expect(sandbox.digest(join(sandbox.store, 'v2'))).toEqual(two);
    expect(readdirSync(sandbox.store).sort()).toEqual(['v1', 'v2']);
  });

  test('the store comes first; if its entry does not fit, that of the first layer is used, and then that of the next', async () => {
    const { sandbox, layers, load, plant, annex } = await open(node);
    const [near, far] = layers;
    plant(near, 'alpha', '1.0.0');
    plant(far, 'alpha', '1.9.0');
    expect(await load('alpha'), 'older, and nearer').toMatchObject({ marker: 'near' });
    const own = plant(sandbox.store, 'alpha', '1.1.0');
    expect(await load('alpha')).toMatchObject({ version: '1.1.0', marker: 'annex' });

    sandbox.setCore({ features: { alpha: '~1.0.0' } });
    expect(await load('alpha')).toMatchObject({ version: '1.0.0', marker: 'near' });
    sandbox.setCore({ features: { alpha: '~1.9.0' } });
    expect(await load('alpha')).toMatchObject({ version: '1.9.0', marker: 'far' });
    expect((await annex('refresh')).results).toMatchObject([{ outcome: 'current' }]);
    sandbox.setCore({ features });
    const mark = retire(sandbox, own, 1);
    expect(await load('alpha')).toMatchObject({ version: '1.0.0', marker: 'near' });
    await sandbox.exec('rm', [mark]);
    expect(await load('alpha')).toMatchObject({ version: '1.1.0', marker: 'annex' });
  });

  test('an entry retired in a layer is not used; neither an install nor prune nor remove changes a layer', async () => {
    const { sandbox, layers, load, plant, annex } = await open(node);
    const [near, far] = layers;
    retire(sandbox, plant(near, 'alpha', '1.9.0'), 25);
    plant(near, 'gone', '1.0.0');
    plant(far, 'alpha', '1.5.0');
    plant(far, 'beta', '0.9.0');
    for (const layer of layers) await sandbox.exec('chmod', ['-R', 'a-w', layer]);
    const before = layers.map((layer) => sandbox.digest(layer));
    expect(await load('alpha')).toMatchObject({ version: '1.5.0', marker: 'far' });
    expect(await load('beta', '1')).toMatchObject({ version: '1.0.0', marker: 'registry' });
    expect(await annex('prune', '--days', '0')).toMatchObject({
      entries: [{ feature: 'beta', outcome: 'kept' }],
    });
    sandbox.setCore({ features: { alpha: '~1.0.0', beta: '^1.0.0' } });
    expect((await annex('refresh')).results).toMatchObject([
      { feature: 'alpha', outcome: 'refreshed' },
      { feature: 'beta', outcome: 'current' },
    ]);
    expect(await load('alpha')).toMatchObject({ version: '1.0.0', marker: 'registry' });
    await annex('uninstall', 'alpha');
    sandbox.setCore({ features });
    expect(await load('alpha')).toMatchObject({ version: '1.5.0', marker: 'far' });
    expect(layers.map((layer) => sandbox.digest(layer))).toEqual(before);
  });

  test("prune keeps the lock's entries for each platform, and retires those of an older lock", async () => {
    const { sandbox, annex, plant } = await open(node);
    const platforms = ['linux-x64-glibc', 'linux-arm64-glibc', 'darwin-arm64'];
    sandbox.setCore({ features: { multi: '^1.0.0' }, platforms });
    await lock(sandbox);
    await annex('install', 'multi');
    const { ids } = readLock(sandbox, 'multi').sidecar;
    expect(ids['linux-x64-glibc']).not.toBe(ids['darwin-arm64']);
    const [own] = listEntries(sandbox);
    const at = (abi: string, id = '') =>
      plant(sandbox.store, 'multi', '1.0.0', { abi, id, specs: { multi: '^1.0.0' } });
    const pinned = [
      at('node1-linux-x64-glibc', ids['linux-x64-glibc']),
      at('node1-darwin-arm64', ids['darwin-arm64']),
    ];
    const older = [
      at('node1-linux-x64-glibc', 'a'.repeat(32)),
      at('node1-darwin-arm64', ids['linux-x64-glibc']),
      at('any', 'b'.repeat(32)),
    ];
    const { entries } = await annex('prune', '--days', '0');
    const outcomes = Object.fromEntries(
      entries.map(({ entry, outcome }: Record<string, string>) => [entry, outcome]),
    );
    expect(outcomes).toEqual({
      ...Object.fromEntries([own, ...pinned].map((dir) => [dir, 'kept'])),
      ...Object.fromEntries(older.map((dir) => [dir, 'retired'])),
    });
  });

  test('two images with different locks on one volume: each runs its own, and prune of one keeps young entries', async () => {
    const { sandbox, registry, env, annex, load } = await open(node);
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    await lock(sandbox);
    await annex('install', 'alpha');
    await registry.add(esmPackage('alpha', '1.1.0', 'later'));
    const other = await openWorld({
      packages: [],
      annex: { features: { alpha: '^1.0.0' } },
      node: node.path,
    });
    const twin: Sandbox = { ...other.sandbox, store: sandbox.store };
    const place = { env: { ...env, npm_config_registry: registry.url } };
    expect((await twin.annex(['lock'], place)).code).toBe(0);
    expect((await twin.annex(['install', 'alpha'], place)).code).toBe(0);
    expect(readLock(twin, 'alpha').sidecar.ids).not.toEqual(readLock(sandbox, 'alpha').sidecar.ids);
    const off = { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } };
    const both = async () => [
      (await load('alpha'))?.version,
      (await importIn(twin, ['alpha'], off)).imported.alpha?.version,
    ];
    expect(await both()).toEqual(['1.0.0', '1.1.0']);
    for (const world of [sandbox, twin]) {
      const { stdout } = await world.annex(['prune', '--json'], { env });
      expect(JSON.parse(stdout).entries).toMatchObject([{ outcome: 'kept' }, { outcome: 'kept' }]);
    }
    expect(await both()).toEqual(['1.0.0', '1.1.0']);
    copyLocks(twin, sandbox);
    expect(await both()).toEqual(['1.1.0', '1.1.0']);
  });
});
