/** An application upgraded over an old store: what still fits works offline, and nothing stale is loaded. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { listEntries, lock } from '../support/lock-files.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { openWorld } from '../support/world.ts';

/** Its marker includes that of its copy of `common`. */
const kit = (version: string): PackageFixture => ({
  ...dependentPackage('kit', version, '', { common: '^1.0.0' }),
  files: {
    'index.js': `import { marker as seen } from 'common';
      export const version = '${version}'; export const marker = 'kit with ' + seen;`,
  },
});
const common = (version: string, from = 'registry') =>
  esmPackage('common', version, `common ${version} from ${from}`);
const packages = [kit('1.0.0'), common('1.2.0'), esmPackage('alpha', '1.0.0', 'alpha 1')];
const later = esmPackage('alpha', '2.0.0', 'alpha 2');

async function open(node: NodeUnderTest) {
  const features = { kit: '^1.0.0', alpha: '^1.0.0' };
  const world = await openWorld({ packages, annex: { features }, node: node.path });
  const { sandbox } = world;
  const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
  const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG };
  const off = { ...env, ANNEX_ALLOW_INSTALLS: '0' };
  const annex = async (...args: string[]) => {
    const ended = await sandbox.annex([...args, '--json'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    return JSON.parse(ended.stdout);
  };
  return {
    ...world,
    annex,
    /** Rebuilds the image with a declaration and a version of `common`. */
    build: (declared: object, version?: string) => {
      const modules = join(sandbox.core, 'node_modules');
      rmSync(join(modules, 'common'), { recursive: true, force: true });
      if (version === undefined) return sandbox.setCore({ features: declared });
      sandbox.addPackage(modules, common(version, 'core'));
      const dependencies = { common: '*' };
      sandbox.addPackage(modules, dependentPackage('host', '1.0.0', 'host', dependencies));
      sandbox.setCore({ features: declared }, { dependencies: { host: '*' } });
    },
    /** Imports, with installs off. */
    load: async (...names: string[]) => (await importIn(sandbox, names, { env: off })).imported,
    off,
    /** Digests all entries; returns a check that they are unchanged. */
    watch: () => {
      const before = listEntries(sandbox).map((dir) => [dir, sandbox.digest(dir)] as const);
      return () => {
        for (const [dir, digest] of before) expect(sandbox.digest(dir)).toEqual(digest);
        return before.length;
      };
    },
  };
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test('a manifest that names the version of the upgraded core does not make it fit', async () => {
    const { sandbox, annex, build, load } = await open(node);
    build({ kit: '^1.0.0' }, '1.2.0');
    await lock(sandbox);
    await annex('install', 'kit');
    const [entry = ''] = listEntries(sandbox);
    const manifest = join(entry, 'annex-entry.json');
    const text = readFileSync(manifest, 'utf8');
    chmodSync(manifest, 0o644);
    writeFileSync(manifest, text.replace('"version":"1.2.0"}', '"version":"2.0.0"}'));
    expect(readFileSync(manifest, 'utf8')).not.toBe(text);
    expect(await load('kit')).toMatchObject({
      kit: { marker: 'kit with common 1.2.0 from core' },
    });
    build({ kit: '^1.0.0' }, '2.0.0');
    expect((await load('kit')).kit).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
  });

  test('another version of a shared dependency: an entry that fits works offline, one that does not is never loaded with it', async () => {
    const { registry, annex, build, load, watch } = await open(node);
    build({ kit: '^1.0.0' }, '1.2.0');
    await annex('install', 'kit');
    const check = watch();
    expect(await load('kit')).toMatchObject({
      kit: { marker: 'kit with common 1.2.0 from core' },
    });

    const asked = registry.requests.length;
    build({ kit: '^1.0.0' }, '1.9.0');
    expect(await load('kit')).toMatchObject({
      kit: { marker: 'kit with common 1.9.0 from core' },
    });
    expect((await annex('refresh')).results).toMatchObject([{ outcome: 'current' }]);
    expect(registry.requests).toHaveLength(asked);

    build({ kit: '^1.0.0' }, '2.0.0');
    expectRefused((await load('kit')).kit, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/);
    build({ kit: '^1.0.0' });
    expectRefused((await load('kit')).kit, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/);
    build({ kit: '^1.0.0' }, '2.0.0');
    expect((await annex('refresh')).results).toMatchObject([{ outcome: 'refreshed' }]);
    expect(await load('kit', 'common')).toMatchObject({
      kit: { marker: 'kit with common 1.2.0 from registry' },
      common: { marker: 'common 2.0.0 from core' },
    });
    build({ kit: '^1.0.0' }, '1.2.0');
    expect((await load('kit')).kit?.marker, 'a rollback').toMatch(/^kit with common 1\.2\.0/);
    expect(check()).toBe(1);
  });

  test('G1: core newly ships a package that an entry holds privately: each keeps its own', async () => {
    const { annex, build, load, watch } = await open(node);
    build({ kit: '^1.0.0' });
    await annex('install', 'kit');
    const check = watch();
    for (const version of ['2.0.0', '1.9.0']) {
      build({ kit: '^1.0.0' }, version);
      expect(await load('kit', 'common')).toMatchObject({
        kit: { marker: 'kit with common 1.2.0 from registry' },
        common: { marker: `common ${version} from core` },
      });
      expect((await annex('refresh')).results).toMatchObject([{ outcome: 'current' }]);
    }
    expect(check()).toBe(1);
  });

  test('G1: core newly ships a declared package: core wins, in its range and out of it', async () => {
    const { sandbox, annex, build, load, watch } = await open(node);
    build({ alpha: '^1.0.0' });
    await annex('install', 'alpha');
    const check = watch();
    sandbox.setCore({ features: { alpha: '^1.0.0' } }, { dependencies: { alpha: '*' } });
    for (const [version, outcome] of [
      ['1.5.0', 'core'],
      ['0.9.0', 'skipped'],
    ] as const) {
      const dir = sandbox.addPackage('app/node_modules', esmPackage('alpha', version, 'core'));
      expect(await load('alpha')).toMatchObject({ alpha: { version, marker: 'core' } });
      expect((await annex('refresh')).results).toMatchObject([{ outcome }]);
      rmSync(dir, { recursive: true });
    }
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'alpha 1' } });
    expect(check()).toBe(1);
  });

  test('another range: the old entry is not used, and stays for a rollback', async () => {
    const { sandbox, registry, annex, build, load, off, watch } = await open(node);
    await registry.add(later);
    build({ alpha: '^1.0.0' });
    await annex('install', 'alpha');
    const check = watch();
    build({ alpha: '^2.0.0' });
    expectRefused((await load('alpha')).alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'alpha');
    const { stdout: why } = await sandbox.annex(['why', 'alpha'], { env: off });
    expect(why).toMatch(/^ {2}lost: 1\.0\.0 in the store: it holds alpha 1\.0\.0, not \^2\.0\.0$/m);
    expect(why).toContain('ANNEX_ALLOW_INSTALLS');
    const [listed] = (await annex('list')).features;
    expect(listed).toMatchObject({
      where: 'missing',
      refusal: { reason: expect.stringMatching(/holds alpha 1\.0\.0, not \^2\.0\.0/) },
    });
    expect((await annex('refresh')).results).toMatchObject([{ outcome: 'refreshed' }]);
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'alpha 2' } });
    build({ alpha: '^1.0.0' });
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'alpha 1' } });
    expect(check()).toBe(1);
  });

  test('another lock of the same range: the old entry stays and is not used, not even with installs off', async () => {
    const { sandbox, registry, annex, build, load, watch } = await open(node);
    build({ alpha: '>=1' });
    await lock(sandbox);
    await annex('install', 'alpha');
    const check = watch();
    await registry.add(later);
    await sandbox.exec('mv', ['annex', '../first-lock']);
    await lock(sandbox);
    expectRefused((await load('alpha')).alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'alpha');
    const [listed] = (await annex('list')).features;
    expect(listed.refusal.reason).toMatch(/is of another lock/);
    expect((await annex('refresh')).results).toMatchObject([{ outcome: 'refreshed' }]);
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'alpha 2' } });
    await sandbox.exec('rm', ['-r', 'annex']);
    await sandbox.exec('mv', ['../first-lock', 'annex']);
    expect(await load('alpha'), 'a rollback').toMatchObject({ alpha: { marker: 'alpha 1' } });
    const { entries } = await annex('prune', '--days', '0');
    expect(entries.map(({ outcome }: { outcome: string }) => outcome).sort()).toEqual([
      'kept',
      'retired',
    ]);
    expect(await load('alpha'), 'what the lock means').toMatchObject({
      alpha: { marker: 'alpha 1' },
    });
    expect(check()).toBe(1);
  });

  test('a renamed feature is another one; under its old name it is found again', async () => {
    const { annex, build, load, watch } = await open(node);
    build({ alpha: '^1.0.0' });
    await annex('install', 'alpha');
    const check = watch();
    const renamed = { 'search.alpha': { packages: { alpha: '^1.0.0' } } };
    build(renamed);
    expectRefused((await load('alpha')).alpha, 'ANNEX_DENIED', /INSTALLS/, 'search.alpha');
    expect((await annex('refresh')).results).toEqual([]);
    await annex('install', 'search.alpha');
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'alpha 1' } });
    const { entries } = await annex('prune', '--days', '0');
    expect(entries).toMatchObject([
      { feature: 'alpha', outcome: 'retired' },
      { feature: 'search.alpha', outcome: 'kept' },
    ]);
    expect(await load('alpha')).toMatchObject({ alpha: { marker: 'alpha 1' } });
    build({ alpha: '^1.0.0' });
    expectRefused((await load('alpha')).alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'alpha');
    expect(check()).toBe(1);
  });
});
