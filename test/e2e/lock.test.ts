/** `annex lock`: three files for each feature that npm can read. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../support/documents.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { LOCK_FILES, lock, node, readLock } from '../support/lock-files.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

const leaf = esmPackage('leaf', '1.0.0', 'leaf');
const common = dependentPackage('common', '1.2.0', 'common', { leaf: '^1.0.0' });
const packages = [
  leaf,
  esmPackage('leaf', '1.5.0', 'a later leaf'),
  common,
  dependentPackage('common', '1.9.0', 'a later common', { leaf: '^1.0.0' }),
  esmPackage('alpha', '1.0.0', 'alpha'),
  dependentPackage('@acme/kit', '1.0.0', 'kit', { common: '^1.0.0', alpha: '^1.0.0' }),
  esmPackage('other', '3.0.0', 'other'),
];
const features = { 'search.kit': { packages: { '@acme/kit': '^1.0.0' } }, other: '^3.0.0' };

/** A core that ships `common` and its `leaf`. */
async function open(declared: object = features) {
  const world = await openWorld({ packages, node: node.path, annex: {} });
  shipCommon(world.sandbox, declared);
  return world;
}

function shipCommon(sandbox: Sandbox, declared: object): void {
  sandbox.setCore({ features: declared }, { dependencies: { common: '^1.0.0' } });
  for (const pkg of [common, leaf]) sandbox.addPackage(join(sandbox.core, 'node_modules'), pkg);
}

describe.concurrent(node.label, () => {
  test('a lock is three files for each feature without machine-specific data, and npm works on them', async () => {
    const { sandbox, registry } = await open();
    const before = sandbox.digest(sandbox.core);
    sandbox.write('app/.npmrc', `//${new URL(registry.url).host}/:_authToken=npm_sEcReT\n`);
    const { stdout } = await lock(sandbox);
    const at = (slug: string) => join(sandbox.core, 'annex', slug);
    expect(stdout.split('\n')).toEqual([
      `search.kit: locked in ${at('search.kit')} (packages: 2; shared with core: common)`,
      `other: locked in ${at('other')} (packages: 1)`,
      '',
    ]);
    expect(readdirSync(join(sandbox.core, 'annex')).sort()).toEqual(['other', 'search.kit']);
    for (const slug of ['other', 'search.kit']) {
      const { texts } = readLock(sandbox, slug);
      expect(Object.keys(texts)).toEqual(LOCK_FILES);
      for (const text of Object.values(texts)) {
        expect(text).not.toMatch(/127\.0\.0\.1|localhost|sEcReT|https?:|annex-test-/);
        expect(text.endsWith('}\n')).toBe(true);
      }
    }
    const { sidecar } = readLock(sandbox, 'search.kit');
    expect(sidecar).toMatchObject({
      format: 2,
      feature: 'search.kit',
      specs: { '@acme/kit': '^1.0.0' },
      shared: { common: { ranges: ['^1.0.0'], version: '1.2.0' } },
      private: ['@acme/kit', 'alpha'],
      platforms: ['linux-arm64-glibc', 'linux-x64-glibc'],
    });
    expect(Object.keys(sidecar.ids)).toEqual(['any']);

    // npm accepts it as a project.
    const project = join(sandbox.root, 'project');
    cpSync(join(sandbox.core, 'annex', 'search.kit'), project, { recursive: true });
    const installed = await sandbox.exec('npm', ['ci', '--ignore-scripts'], { cwd: project });
    expect(installed).toMatchObject({ code: 0 });
    sandbox.write(
      'project/main.mjs',
      `import { seen } from '@acme/kit'; import { version } from 'common'; console.log(JSON.stringify([seen, version]));`,
    );
    const ran = await sandbox.run(['main.mjs'], { cwd: project });
    expect(JSON.parse(ran.stdout)).toEqual([{ common: 'common', alpha: 'alpha' }, '1.2.0']);
    const sbom = await sandbox.exec('npm', ['sbom', '--sbom-format=cyclonedx'], { cwd: project });
    expect(sbom).toMatchObject({ code: 0 });
    const { components } = JSON.parse(sbom.stdout) as { components: { purl: string }[] };
    expect(components.map(({ purl }) => purl)).toEqual(
      expect.arrayContaining([
        'pkg:npm/%40acme/kit@1.0.0',
        'pkg:npm/alpha@1.0.0',
        'pkg:npm/common@1.2.0',
      ]),
    );

    // No other file of the core changes.
    rmSync(join(sandbox.core, 'annex'), { recursive: true });
    rmSync(join(sandbox.core, '.npmrc'));
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('only the named features are locked; the same input gives the same bytes', async () => {
    const { sandbox, registry } = await open();
    const env = { SOURCE_DATE_EPOCH: '1750000000' };
    expect(await sandbox.annex(['lock', 'search.kit'], { env })).toMatchObject({ code: 0 });
    expect(readdirSync(join(sandbox.core, 'annex'))).toEqual(['search.kit']);
    const { texts, sidecar } = readLock(sandbox, 'search.kit');
    expect(sidecar.made).toMatchObject({ date: '2025-06-15T15:06:40Z' });
    // In another directory, from another registry.
    const { sandbox: second } = await open();
    expect(await second.annex(['lock', 'search.kit'], { env })).toMatchObject({ code: 0 });
    expect(readLock(second, 'search.kit').texts).toEqual(texts);
    // A locked feature needs no registry.
    await registry.stop();
    const { stdout } = await lock(sandbox, 'search.kit');
    expect(stdout).toBe('search.kit: locked already\n');
    expect(readLock(sandbox, 'search.kit').texts).toEqual(texts);
    const unknown = await sandbox.annex(['lock', 'othre']);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/othre unavailable \(ANNEX_INVALID_CONFIG\).*not declared/);
  });

  test('a lock has the time of its last change, and the versions of annex and npm', async () => {
    const { sandbox } = await open();
    const start = Math.floor(Date.now() / 1000) * 1000;
    await lock(sandbox);
    const { sidecar } = readLock(sandbox, 'search.kit');
    const made = sidecar.made as { date: string };
    const { version } = JSON.parse(readDocument('package.json'));
    const { stdout: npm } = await sandbox.exec('npm', ['--version']);
    expect(made).toEqual({ date: made.date, annex: version, npm: npm.trim() });
    expect(Date.parse(made.date)).toBeGreaterThanOrEqual(start);
    expect(Date.parse(made.date)).toBeLessThanOrEqual(Date.now());
    const { stdout } = await sandbox.annex(['list', '--json']);
    expect(JSON.parse(stdout).features).toMatchObject([{ lock: made }, {}]);
  });

  test('locking again with the same result keeps that time; a lock without it stays valid', async () => {
    const { sandbox } = await open();
    const path = 'app/annex/search.kit/annex.json';
    const relock = async (from: string, made: object | undefined) => {
      const { sidecar } = readLock(sandbox, 'search.kit');
      sandbox.write(path, `${JSON.stringify({ ...sidecar, made }, undefined, 2)}\n`);
      const before = sandbox.digest(sandbox.core);
      expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
      // The lock no longer matches, and npm resolves the same again.
      sandbox.write('app/annex/search.kit/package-lock.json', from);
      const { stdout } = await lock(sandbox, 'search.kit');
      expect(stdout).toMatch(/^search\.kit: locked in /);
      expect(sandbox.digest(sandbox.core)).toEqual(before);
    };
    await lock(sandbox);
    const made = { date: '2020-01-02T03:04:05Z', annex: '0.0.1', npm: '10.0.0' };
    const { texts } = readLock(sandbox, 'search.kit');
    const edited = `${texts['package-lock.json']}\n`;
    await relock(edited, made);
    await relock(edited, undefined);
  });

  test('locked versions stay when another range of the feature changes', async () => {
    const declare = (gamma: string) => ({ both: { packages: { alpha: '^1.0.0', gamma } } });
    const { sandbox, registry } = await open(declare('^1.0.0'));
    await registry.add(esmPackage('gamma', '1.0.0', 'gamma'));
    await lock(sandbox);
    await registry.add(
      esmPackage('alpha', '1.1.0', 'a later alpha'),
      esmPackage('gamma', '2.0.0', 'a later gamma'),
    );
    shipCommon(sandbox, declare('^2.0.0'));
    await lock(sandbox);
    const { packages: locked } = readLock(sandbox, 'both');
    expect(locked['node_modules/alpha']?.version).toBe('1.0.0');
    expect(locked['node_modules/gamma']?.version).toBe('2.0.0');
  });

  test('a feature that cannot be locked keeps its old lock, and the others are locked', async () => {
    const { sandbox } = await open();
    await lock(sandbox, 'search.kit');
    const before = readLock(sandbox, 'search.kit').texts;
    shipCommon(sandbox, { ...features, 'search.kit': { packages: { '@acme/kit': '^7.0.0' } } });
    const { code, stdout, stderr } = await sandbox.annex(['lock', '--json']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /search\.kit cannot be locked: npm: ETARGET .* \(ANNEX_INSTALL_FAILED\)/,
    );
    expect(JSON.parse(stdout).results).toMatchObject([
      { feature: 'search.kit', outcome: 'failed', refusal: { code: 'ANNEX_INSTALL_FAILED' } },
      { feature: 'other', outcome: 'locked', packages: 1, shared: [] },
    ]);
    expect(readLock(sandbox, 'search.kit').texts).toEqual(before);
    expect(readFileSync(join(sandbox.core, 'package.json'), 'utf8')).toContain('^7.0.0');
  });

  test('a conflict with core is a table of all edges, and nothing is written', async () => {
    const { sandbox, registry } = await open({ clash: '^1.0.0' });
    await registry.add(
      dependentPackage('clash', '1.0.0', 'clash', { common: '^2.0.0', alpha: '^1.0.0' }),
      esmPackage('common', '2.0.0', 'common two'),
    );
    const { code, stderr } = await sandbox.annex(['lock']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/clash cannot be locked: .* \(ANNEX_CONFLICT\)/);
    expect(stderr).toMatch(/clash 1\.0\.0 +common +\^2\.0\.0 +dependency +core 1\.2\.0/);
    expect(() => readdirSync(join(sandbox.core, 'annex'))).toThrow();
  });
});
