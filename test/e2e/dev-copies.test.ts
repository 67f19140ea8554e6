/** A package that only devDependencies install: Node uses it there, and every command answers for production. */
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { listEntries, lock, node, readLock } from '../support/lock-files.ts';
import { repositoryRoot } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { npm, pnpm } from '../support/trees.ts';
import { openWorld } from '../support/world.ts';

const young = { published: new Date(Date.now() - 3_600_000).toISOString() };
const low = { low: '^1.0.0' };
const packages = [
  dependentPackage('kit', '1.0.0', 'kit 1.0.0', low),
  dependentPackage('kit', '1.1.0', 'kit 1.1.0', low),
  { ...dependentPackage('kit', '1.2.0', 'kit 1.2.0', low), ...young },
  dependentPackage('kit', '2.0.0', 'kit 2.0.0', low),
  esmPackage('low', '1.0.0', 'low'),
  dependentPackage('tool', '1.0.0', 'tool', { kit: '1.0.0' }),
];
const features = { kit: '^1.0.0' };
const annex = { features };
const development = { devDependencies: { kit: '1.0.0' } };

interface Layout {
  sandbox: Sandbox;
  /** The application's directory. */
  cwd: string;
}

async function openWorkspace(root: object, app: object): Promise<Layout> {
  const { sandbox } = await openWorld({ packages, node: node.path, annex: {} });
  const workspaces = { name: 'whole', private: true, workspaces: ['packages/*'] };
  sandbox.write('whole/package.json', { ...workspaces, ...root });
  const manifest = { name: 'app', version: '1.0.0', type: 'module', annex, ...app };
  sandbox.write('whole/packages/app/package.json', manifest);
  await npm(sandbox, ['install'], 'whole');
  return { sandbox, cwd: join(sandbox.root, 'whole', 'packages', 'app') };
}

async function openApplication(
  dependencies: object = development,
  install: typeof npm = npm,
): Promise<Layout> {
  const { sandbox } = await openWorld({ packages, node: node.path, annex });
  rmSync(join(sandbox.core, 'node_modules'), { recursive: true });
  sandbox.setCore(annex, dependencies);
  await install(sandbox, ['install']);
  symlinkSync(repositoryRoot, join(sandbox.core, 'node_modules', 'annex'));
  return { sandbox, cwd: sandbox.core };
}

const LAYOUTS: Record<string, (context: TestContext) => Promise<Layout>> = {
  'a devDependency, npm': () => openApplication(),
  'a devDependency, pnpm': () => openApplication(development, pnpm),
  'what a devDependency needs, npm': () => openApplication({ devDependencies: { tool: '1.0.0' } }),
  'a devDependency of a workspace, npm': () => openWorkspace({}, development),
  'a devDependency of the root of a workspace, npm': () => openWorkspace(development, {}),
};

for (const [what, build] of Object.entries(LAYOUTS)) {
  test.concurrent(`${what}: listed as such, locked, baked and reported on`, async (context) => {
    const { sandbox, cwd } = await build(context);
    const store = join(sandbox.root, 'baked');
    const annexIn = (...args: string[]) =>
      sandbox.annex(args, { cwd, env: { ANNEX_STORE: sandbox.store } });
    expect(await annexIn('lock')).toMatchObject({ code: 0, stderr: '' });
    expect(await annexIn('lock', '--check')).toMatchObject({ code: 0, stderr: '' });
    expect(readLock({ core: cwd }, 'kit').sidecar.private).toEqual(['kit', 'low']);
    const [row] = JSON.parse((await annexIn('list', '--json')).stdout).features;
    expect(row).toMatchObject({
      where: 'core (not shipped)',
      packages: { kit: { version: '1.0.0' } },
    });
    const why = await annexIn('why', 'kit', '--json');
    expect(JSON.parse(why.stdout)).toMatchObject({ rule: 4, isUnshipped: true });
    expect((await annexIn('why', 'kit')).stdout).toContain('core has a copy that it does not ship');
    expect(await annexIn('bake', store)).toMatchObject({ code: 0 });
    expect(listEntries({ store })).toHaveLength(1);
    expect(await annexIn('install', 'kit')).toMatchObject({ code: 0 });
    expect(listEntries(sandbox)).toHaveLength(1);
    const sbom = await annexIn('sbom');
    expect(sbom).toMatchObject({ code: 0 });
    expect(sbom.stdout).toContain('pkg:npm/kit@1.0.0');
    expect(sbom.stderr).not.toMatch(/left out/);
  });
}

describe.concurrent(node.label, () => {
  test('Node uses that copy at run time, and the entry where it is not shipped', async () => {
    const { sandbox } = await openApplication();
    await lock(sandbox);
    const run = () => importIn(sandbox, ['kit'], { env: { ANNEX_STORE: sandbox.store } });
    expect((await run()).imported.kit).toMatchObject({ marker: 'kit 1.0.0' });
    expect(existsSync(sandbox.store)).toBe(false);
    rmSync(join(sandbox.core, 'node_modules', 'kit'), { recursive: true });
    expect((await run()).imported.kit).toMatchObject({ marker: 'kit 1.0.0' });
    expect(listEntries(sandbox)).toHaveLength(1);
  });

  test('a lock takes the version of that copy, and follows it', async () => {
    const { sandbox } = await openApplication();
    await lock(sandbox);
    const versionOf = () => readLock(sandbox, 'kit').packages['node_modules/kit']?.version;
    expect(versionOf()).toBe('1.0.0');
    expect((await lock(sandbox)).stdout).toBe('kit: locked already\n');
    await npm(sandbox, ['install', '--save-dev', '--save-exact', 'kit@1.1.0']);
    for (const args of [['list'], ['lock', '--check']]) {
      expect(await sandbox.annex(args)).toMatchObject({
        code: 0,
        stderr:
          'annex: kit: core has kit 1.1.0, which it does not ship, and 1.0.0 is locked. ' +
          'Now: npx annex lock kit\n',
      });
    }
    await lock(sandbox);
    expect(versionOf()).toBe('1.1.0');
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('a copy younger than the cooldown is reported and not locked', async () => {
    const { sandbox } = await openApplication({ devDependencies: { kit: '1.2.0' } });
    await lock(sandbox);
    expect(readLock(sandbox, 'kit').packages['node_modules/kit']?.version).toBe('1.1.0');
    expect((await sandbox.annex(['list'])).stderr).toMatch(
      /kit 1\.2\.0, which .* 1\.1\.0 is locked/,
    );
    expect((await lock(sandbox)).stdout).toBe('kit: locked already\n');
    await lock(sandbox, '--min-age', '0');
    expect(readLock(sandbox, 'kit').packages['node_modules/kit']?.version).toBe('1.2.0');
  });

  test('a copy outside the range is reported, with a hint', async () => {
    const { sandbox } = await openApplication({ devDependencies: { kit: '2.0.0' } });
    await lock(sandbox);
    expect(readLock(sandbox, 'kit').packages['node_modules/kit']?.version).toBe('1.1.0');
    const { stdout, stderr } = await sandbox.annex(['list', '--json']);
    const [row] = JSON.parse(stdout).features;
    expect(row.where).toBe('core outside range');
    expect(row.refusal.reason).toMatch(/^core has kit 2\.0\.0, which it does not ship/);
    expect(stderr).toMatch(/Now: npm install --save-dev kit@1\.1\.0\n$/);
  });

  test('a blocked copy is not locked', async () => {
    const { sandbox } = await openApplication();
    sandbox.setCore({ features, blocked: ['kit@1.0.0'] }, development);
    await lock(sandbox);
    expect(readLock(sandbox, 'kit').packages['node_modules/kit']?.version).toBe('1.1.0');
  });
});
