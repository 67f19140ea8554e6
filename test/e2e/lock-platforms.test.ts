/** Locks of closures that differ by platform, and of unusual cores and registries. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { listEntries, lock, node, readLock } from '../support/lock-files.ts';
import { startRegistry } from '../support/registry.ts';
import { openWorld } from '../support/world.ts';

const { platform: os, arch: cpu } = process;
const header = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header;
const libc = header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
const here = os === 'linux' ? `${os}-${cpu}-${libc}` : `${os}-${cpu}`;
const elsewhere = 'freebsd-arm64';

const packages = [
  esmPackage('image', '1.0.0', 'image', {
    optionalDependencies: { '@image/here': '1.0.0', '@image/there': '1.0.0' },
  }),
  esmPackage('@image/here', '1.0.0', 'made for this', { os: [os], cpu: [cpu] }),
  esmPackage('@image/there', '1.0.0', 'made for another', { os: ['freebsd'], cpu: ['arm64'] }),
  esmPackage('alpha', '1.0.0', 'alpha'),
  dependentPackage('user', '1.0.0', 'user', { alpha: '^1.0.0' }),
];
const open = (features: object, rest: object = {}) =>
  openWorld({ packages, node: node.path, annex: { features, ...rest } });

describe.concurrent(node.label, () => {
  test('a lock lists the files of every platform, and an install has only those of its own', async () => {
    const platforms = [here, elsewhere];
    const { sandbox, registry } = await open({ image: '^1.0.0' }, { platforms });
    await lock(sandbox);
    const { sidecar } = readLock(sandbox, 'image');
    expect(Object.keys(sidecar.ids)).toEqual([...platforms].sort());
    expect(new Set(Object.values(sidecar.ids)).size).toBe(2);
    expect(Object.keys(sidecar.packages)).toEqual([
      'node_modules/@image/here',
      'node_modules/@image/there',
      'node_modules/image',
    ]);
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
    registry.requests.length = 0;
    // Without npm's cache, which has all tarballs.
    const env = { ANNEX_STORE: sandbox.store, npm_config_cache: join(sandbox.root, 'empty') };
    const { imported } = await importIn(sandbox, ['image'], { env });
    expect(imported.image?.marker).toBe('image');
    expect(registry.requests).toHaveLength(2);
    expect(registry.requests.filter((line) => line.includes('there'))).toEqual([]);
    const [entry = ''] = listEntries(sandbox);
    expect(basename(entry)).toBe(`image.${sidecar.ids[here]}.0`);
    expect(basename(dirname(entry))).toMatch(/^node\d+-/);
    expect(readdirSync(join(entry, 'node_modules/@image'))).toEqual(['here']);
  });

  test('a package that no declared platform can run is refused, and names the platform', async () => {
    const platforms = [here, elsewhere];
    const { sandbox } = await open({ '@image/here': '^1.0.0' }, { platforms });
    const { code, stderr } = await sandbox.annex(['lock']);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `@image/here cannot be locked: @image/here 1.0.0 is not made for ${elsewhere}`,
    );
    expect(stderr).toContain('(ANNEX_UNSUPPORTED_PLATFORM)');
  });

  test('a feature that core ships itself is locked with core’s copy', async () => {
    const { sandbox } = await open({});
    sandbox.setCore({ features: { alpha: '^1.0.0' } }, { dependencies: { alpha: '*' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), esmPackage('alpha', '1.0.0', 'core'));
    await lock(sandbox);
    expect(readLock(sandbox, 'alpha').sidecar).toMatchObject({
      private: [],
      packages: {},
      shared: { alpha: { ranges: ['^1.0.0'], version: '1.0.0' } },
    });
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('an unpublished version in the core is shared as well', async () => {
    const { sandbox } = await open({});
    sandbox.setCore({ features: { user: '^1.0.0' } }, { dependencies: { alpha: '*' } });
    const fork = esmPackage('alpha', '1.0.1', 'a fork');
    sandbox.addPackage(join(sandbox.core, 'node_modules'), fork);
    await lock(sandbox);
    expect(readLock(sandbox, 'user').sidecar.shared.alpha?.version).toBe('1.0.1');
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
    const { imported } = await importIn(sandbox, ['user'], { env: { ANNEX_STORE: sandbox.store } });
    expect(imported.user?.marker).toBe('user');
  });

  test("npm's age setting does not apply to packages of the core", async () => {
    const { sandbox, registry } = await open({});
    const young = { ...esmPackage('alpha', '1.0.1', 'young'), published: new Date().toISOString() };
    await registry.add(young);
    sandbox.setCore({ features: { user: '^1.0.0' } }, { dependencies: { alpha: '*' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), young);
    sandbox.write('app/.npmrc', 'min-release-age=3\n');
    await lock(sandbox);
    expect(readLock(sandbox, 'user').packages['node_modules/alpha']).toMatchObject({
      version: '1.0.1',
      integrity: expect.stringContaining('sha512-'),
    });
  });

  test('a directory that cannot be written is named', async () => {
    const { sandbox } = await open({ alpha: '^1.0.0' });
    sandbox.write('app/annex', 'a file');
    const { code, stderr } = await sandbox.annex(['lock']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^annex: alpha cannot be locked: \S+\/app\/annex\/alpha\/annex\.json cannot be written \(E\w+\) \(ANNEX_STORE_UNUSABLE\)\. Now: make that path writable/,
    );
  });

  test('private copies, names that cannot be shared and packages for another Node: lock, check and install agree', async () => {
    const { sandbox, registry } = await open({});
    const dependencies = { common: '^2.0.0', zed: '^1.0.0', alpha: '^1.0.0' };
    const kit = dependentPackage('kit', '1.0.0', 'kit', dependencies, {
      imports: { '#zed': 'zed' },
      optionalDependencies: { later: '^1.0.0' },
    });
    await registry.add(
      kit,
      esmPackage('common', '2.0.0', 'nested'),
      esmPackage('zed', '1.0.0', 'its own'),
      esmPackage('later', '1.0.0', 'for another Node', { engines: { node: '>=99' } }),
    );
    const features = { kit: { packages: { kit: '^1.0.0' }, conflicts: 'nest' } };
    const shipped = ['common', 'zed', 'alpha'].map((name) => esmPackage(name, '1.0.0', 'core'));
    const asked = Object.fromEntries(shipped.map(({ name }) => [name, '*']));
    sandbox.setCore({ features }, { dependencies: asked });
    for (const pkg of shipped) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
    await lock(sandbox);
    const { sidecar } = readLock(sandbox, 'kit');
    expect(sidecar).toMatchObject({
      private: ['common', 'kit', 'later', 'zed'],
      unshared: ['zed'],
    });
    expect(Object.keys(sidecar.shared)).toEqual(['alpha']);
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
    const program = `const { seen } = await import('kit'); console.log(JSON.stringify(seen));`;
    sandbox.write('app/seen.mjs', program);
    const env = { ANNEX_STORE: sandbox.store, PATH: '/nowhere' };
    const ran = await sandbox.run(['--import', sandbox.loader, 'seen.mjs'], { env });
    expect(JSON.parse(ran.stdout)).toEqual({ common: 'nested', zed: 'its own', alpha: 'core' });
    const [entry = ''] = listEntries(sandbox);
    expect(basename(entry)).toBe(`kit.${sidecar.ids.any}.0`);
    expect(basename(dirname(entry))).toMatch(/^node\d+-/);
    // A shared package is a link, for threads without hooks.
    const packages = readdirSync(join(entry, 'node_modules'), { withFileTypes: true });
    const own = packages.filter((one) => one.isDirectory()).map(({ name }) => name);
    expect(own.sort()).toEqual(['common', 'kit', 'zed']);
  });

  test('a registry of a scope is named in no lock, under an alias neither', async () => {
    const own = await startRegistry([esmPackage('@corp/tool', '1.0.0', 'tool')]);
    const { sandbox, registry } = await open({ tools: { packages: { tools: '^1.0.0' } } });
    await registry.add(
      dependentPackage('tools', '1.0.0', 'tools', {
        '@corp/tool': '^1.0.0',
        aliased: 'npm:@corp/tool@^1.0.0',
      }),
    );
    sandbox.write('app/.npmrc', `@corp:registry=${own.url}/\n`);
    await lock(sandbox);
    const { texts, packages: locked } = readLock(sandbox, 'tools');
    expect(Object.values(texts).join('')).not.toMatch(/127\.0\.0\.1|https?:/);
    expect(locked['node_modules/aliased']).toMatchObject({ name: '@corp/tool' });
    const { imported } = await importIn(sandbox, ['tools'], {
      env: { ANNEX_STORE: sandbox.store },
    });
    expect(imported.tools?.marker).toBe('tools');
  });

  test('a registry that does not answer in time is reported, and nothing is written', async () => {
    const { sandbox, registry } = await open({ alpha: '^1.0.0' });
    registry.fault({ kind: 'hang' });
    const env = { ANNEX_CONFIG: sandbox.write('operator.json', { timeout: 1 }) };
    const { code, stderr } = await sandbox.annex(['lock'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^annex: alpha cannot be locked: it took longer than 1 s \(ANNEX_TIMEOUT\)\./,
    );
    expect(readdirSync(sandbox.core)).not.toContain('annex');
    expect(readFileSync(join(sandbox.core, 'package.json'), 'utf8')).toContain('^1.0.0');
  });
});
