/** `annex refresh`: what has an entry is brought up to what is declared now, and nobody is kept from starting. */
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import type { RefreshResult } from '../../src/cli/refresh.ts';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { listEntries, lock } from '../support/lock-files.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import type { RunOptions, Sandbox } from '../support/sandbox.ts';
import { removeTree } from '../support/tree.ts';
import { asPlainUser, giveTo } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const names = ['alpha', 'beta', 'gamma', 'delta'];
const packages = names.map((name) => esmPackage(name, '1.0.0', `first ${name}`));
const later = names.map((name) => esmPackage(name, '2.0.0', `second ${name}`));
const declare = (range: string) =>
  Object.fromEntries(names.map((name) => [name, range])) as Record<string, string>;

async function open(context: TestContext, node: NodeUnderTest, copyAnnex = false) {
  const annex = { features: declare('^1.0.0') };
  const world = await openWorld(context, { packages, annex, node: node.path, copyAnnex });
  const { sandbox } = world;
  const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
  const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG };
  const off = { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } };
  return {
    ...world,
    env,
    install: async (...features: string[]) =>
      expect((await sandbox.annex(['install', ...features], { env })).code).toBe(0),
    refresh: (options: RunOptions = {}) =>
      sandbox.annex(['refresh', '--json'], { ...options, env: { ...env, ...options.env } }),
    /** What runs, with installs off. */
    load: async (...wanted: string[]) => (await importIn(sandbox, wanted, off)).imported,
  };
}

/** By feature; the exit code is 0 whatever happens. */
function read({ code, stdout }: { code: number | null; stdout: string }) {
  expect(code).toBe(0);
  const results = JSON.parse(stdout) as RefreshResult[];
  return Object.fromEntries(results.map(({ feature, ...rest }) => [feature, rest]));
}

const plant = (sandbox: Sandbox, name: string, options: { abi?: string; store?: string } = {}) =>
  sandbox.plantEntry({
    feature: name,
    packages: [esmPackage(name, '1.0.0', 'planted')],
    specs: { [name]: '^1.0.0' },
    ...options,
  });

for (const node of outerNodes) {
  describe(node.label, () => {
    test('another range, another ABI, a layer: installed anew beside what is there; what fits stays', async (context) => {
      const { sandbox, registry, refresh, install, load } = await open(context, node);
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

    test('a layer whose entry does not fit any more', async (context) => {
      const { sandbox, refresh } = await open(context, node);
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

    test('G4: damaged and retired entries are restored as the next generation', async (context) => {
      const { sandbox, refresh, install, load } = await open(context, node);
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

    test('G5: an entry with an edited file is restored; where nothing may be installed it is off', async (context) => {
      const { sandbox, refresh, install, load } = await open(context, node);
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

    test('what is withdrawn is skipped, with the reason, and stays', async (context) => {
      const { sandbox, refresh, install } = await open(context, node);
      await install('alpha');
      const before = sandbox.digest(sandbox.store);
      const blocked = [{ spec: 'alpha@1.0.0', reason: 'stolen' }];
      sandbox.setCore({ features: declare('^1.0.0'), blocked });
      expect(read(await refresh())).toMatchObject({
        alpha: { outcome: 'skipped', reason: expect.stringMatching(/stolen/) },
      });
      expect(sandbox.digest(sandbox.store)).toMatchObject(before);
    });

    test('a host that is away is asked for one feature, and by the next refresh again', async (context) => {
      const { sandbox, registry, refresh } = await open(context, node);
      for (const name of names) plant(sandbox, name, { abi: 'node1-linux-x64-glibc' });
      registry.fault({ kind: 'status', status: 503 }, /./);
      for (const _ of [1, 2]) {
        const asked = registry.requests.length;
        const found = read(await refresh());
        expect(Object.keys(found)).toEqual(names);
        expect(found).toMatchObject({
          alpha: { outcome: 'failed', code: 'ANNEX_OFFLINE' },
          beta: { outcome: 'failed', reason: expect.stringMatching(/ failed for alpha: /) },
          delta: { outcome: 'failed', reason: expect.stringMatching(/ failed for alpha: /) },
        });
        const requests = registry.requests.slice(asked);
        expect(requests.length).toBeGreaterThan(0);
        expect(requests.filter((line) => !line.includes('alpha'))).toEqual([]);
      }
    });

    test('another lock: the locked entry is installed, offline the old one stays and is not used', async (context) => {
      const { sandbox, registry, refresh, install, load } = await open(context, node);
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

    test('one that fails keeps no other back, and what failed before is tried again', async (context) => {
      const { sandbox, registry, refresh, load } = await open(context, node);
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

    test('skipped, with the reason: what core ships, what is declared wrongly, what may not be installed', async (context) => {
      const { sandbox, registry, refresh } = await open(context, node);
      sandbox.addPackage('app/node_modules', esmPackage('alpha', '1.0.0', 'core'));
      sandbox.addPackage('app/node_modules', esmPackage('beta', '0.1.0', 'core'));
      const features = { ...declare('^1.0.0'), gamma: 'latest', delta: '^3.0.0' };
      sandbox.setCore({ features }, { dependencies: { alpha: '*', beta: '*' } });
      for (const name of names) plant(sandbox, name);
      const before = sandbox.digest(sandbox.store);
      const off = await refresh({ env: { ANNEX_ALLOW_INSTALLS: 'no' } });
      expect(read(off)).toMatchObject({
        alpha: { outcome: 'skipped', reason: 'core ships it now' },
        beta: {
          outcome: 'skipped',
          code: 'ANNEX_CONFLICT',
          reason: expect.stringMatching(/core ships beta 0\.1\.0/),
        },
        gamma: {
          outcome: 'skipped',
          code: 'ANNEX_INVALID_CONFIG',
          reason: expect.stringMatching(/latest/),
        },
        delta: {
          outcome: 'skipped',
          code: 'ANNEX_DENIED',
          reason: expect.stringMatching(/ANNEX_ALLOW_INSTALLS/),
        },
      });
      expect(sandbox.digest(sandbox.store)).toEqual(before);
      expect(registry.requests).toEqual([]);
    });

    test('a boot hook with set -e goes on, whatever is wrong', async (context) => {
      const { sandbox, registry, env } = await open(context, node, true);
      const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
      const hook = async (options: RunOptions = {}) => {
        const args = ['-ec', 'node "$0" refresh; echo started', cli];
        const all = { env: { ...env, ...options.env } };
        return sandbox.exec('/bin/sh', args, { ...options, ...all });
      };
      plant(sandbox, 'alpha', { abi: 'node1-linux-x64-glibc' });
      giveTo(asPlainUser, dirname(sandbox.store));
      const seal = (mode: string) => sandbox.exec('chmod', ['-R', mode, dirname(sandbox.store)]);
      const outcomes: [string, () => unknown, RegExp, RegExp, RunOptions?][] = [
        [
          'all is well',
          () => {},
          /^alpha: refreshed, alpha 1\.0\.0 \(.*\)\nstarted\n$/,
          /installed/,
        ],
        [
          'a volume that cannot be written',
          async () => {
            removeTree(join(sandbox.store, 'v1', 'any'));
            await seal('a-w');
          },
          /^alpha: failed \(ANNEX_STORE_UNUSABLE\): .*\nstarted\n$/,
          /ANNEX_STORE_UNUSABLE/,
        ],
        [
          'a registry that is not there',
          async () => {
            await seal('u+w');
            await registry.stop();
          },
          /^alpha: failed \(ANNEX_OFFLINE\): .*\nstarted\n$/,
          /ANNEX_OFFLINE/,
        ],
        [
          'a store that cannot be one',
          () => {},
          /^nothing to refresh: .*\nstarted\n$/,
          /STORE_UNUSABLE/,
          { env: { ANNEX_STORE: 'relative' } },
        ],
        [
          'a package.json that does not parse',
          () => sandbox.write('app/package.json', '{'),
          /^nothing to refresh: .*\nstarted\n$/,
          /ANNEX_INVALID_CONFIG/,
        ],
        [
          'no application',
          () => {},
          /^nothing to refresh: .*\nstarted\n$/,
          /ANNEX_INVALID_CONFIG/,
          { cwd: 'home' },
        ],
      ];
      for (const [what, prepare, stdout, stderr, options] of outcomes) {
        await prepare();
        const ended = await hook({ ...asPlainUser, ...options });
        expect({ what, code: ended.code }).toEqual({ what, code: 0 });
        expect(ended.stdout, what).toMatch(stdout);
        expect(ended.stderr, what).toMatch(stderr);
      }
    });

    test('called wrongly it is 2', async (context) => {
      const { sandbox } = await open(context, node);
      for (const args of [['alpha'], ['--all'], ['--days', '1']]) {
        expect((await sandbox.annex(['refresh', ...args])).code).toBe(2);
      }
    });
  });
}
