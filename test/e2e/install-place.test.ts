/** Targets of installs and places of look-ups: default stores, layers, ABI directories, damaged entries. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const addon: PackageFixture = {
  ...esmPackage('addon', '1.0.0', 'an addon'),
  files: { 'index.js': 'export const marker = "an addon";', 'build/addon.node': 'no real one' },
};
const packages = [
  esmPackage('alpha', '1.0.0', 'alpha'),
  dependentPackage('native', '1.0.0', 'native', { addon: '1' }),
  addon,
];
const features = { alpha: '^1.0.0', native: '^1.0.0' };

const open = async (options: { copyAnnex?: boolean } = {}) =>
  (await openWorld({ packages, annex: { features }, ...options })).sandbox;

/** Plants a sentinel entry of `alpha`. */
const plant = (sandbox: Sandbox, options: { store?: string; abi?: string; version?: string }) =>
  sandbox.plantEntry({
    feature: 'alpha',
    packages: [esmPackage('alpha', options.version ?? '1.0.0', 'planted')],
    specs: { alpha: '^1.0.0' },
    ...options,
  });

/** The start of this Node's own ABI directory. */
async function nameAbi(sandbox: Sandbox, { path }: NodeUnderTest): Promise<string> {
  const facts = '["node" + process.versions.modules, process.platform, process.arch].join("-")';
  return (await sandbox.run(['-p', facts], { node: path })).stdout.trim();
}

/** Starts a worker and a child without any environment; none of the three requests a feature. */
const EMPTY_ENVIRONMENTS = `
import { fork } from 'node:child_process';
import { isMainThread, Worker } from 'node:worker_threads';
console.log('it runs');
if (isMainThread && process.send === undefined) {
  new Worker(new URL(import.meta.url), { env: {} });
  fork('quiet.mjs', { env: {} });
}`;

/** Names of entries by ABI directory; those without entries are left out. */
function listEntries(store: string): Record<string, string[]> {
  const root = join(store, 'v1');
  const abis = readdirSync(root).filter((name) => name === 'any' || name.startsWith('node'));
  const listed = abis.map((abi) => [abi, readdirSync(join(root, abi)).sort()] as const);
  return Object.fromEntries(listed.filter(([, names]) => names.length > 0));
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test('the default store is below XDG_CACHE_HOME, named by the path of the core', async () => {
    const sandbox = await open();
    const env = { XDG_CACHE_HOME: join(sandbox.root, 'xdg') };
    const options = { node: node.path, env };
    const first = await importIn(sandbox, ['alpha'], options);
    expect(first.imported.alpha).toMatchObject({ marker: 'alpha' });
    const store = join(sandbox.root, 'xdg', 'annex', sandbox.core);
    expect(listEntries(store)).toEqual({ any: [expect.stringMatching(/^alpha\./)] });
    const second = await importIn(sandbox, ['alpha'], options);
    expect(second.imported).toEqual(first.imported);
    expect(second.stderr).toBe('');
  });

  test('without a store and without HOME the error of a feature says why', async () => {
    const sandbox = await open();
    const options = { node: node.path, env: { HOME: undefined } };
    const { imported } = await importIn(sandbox, ['alpha'], options);
    expectRefused(imported.alpha, 'ANNEX_STORE_UNUSABLE', /no cache directory is known/);
    expect(imported.alpha?.cause?.hint).toMatch(/ANNEX_STORE/);
  });

  test.for([
    ['there is no HOME', undefined],
    ['HOME is the core', 'app'],
  ])('without a store, %s: a process that requests no feature reads nothing', async ([, home]) => {
    const sandbox = await open();
    sandbox.write('app/quiet.mjs', EMPTY_ENVIRONMENTS);
    const env = { HOME: home && join(sandbox.root, home) };
    const args = ['--import', sandbox.loader, 'quiet.mjs'];
    const { code, stdout, stderr } = await sandbox.run(args, { node: node.path, env });
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'it runs\n'.repeat(3),
      stderr: '',
    });
  });

  test.for([
    ['there is no HOME', undefined],
    ['HOME may not be written', 'HOME'],
  ])('with a store, a plain user installs though %s', async ([, home]) => {
    const sandbox = await open({ copyAnnex: true });
    giveTo(asPlainUser, dirname(sandbox.store));
    chmodSync(sandbox.home, 0o555);
    const before = sandbox.digest(sandbox.home);
    const env = {
      ANNEX_STORE: sandbox.store,
      HOME: home?.replace(/^HOME$/, sandbox.home),
      npm_config_cache: undefined,
    };
    const options = { node: node.path, env, ...asPlainUser };
    const { imported, lines } = await importIn(sandbox, ['alpha'], options);
    expect(imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(lines).toHaveLength(2);
    expect(sandbox.digest(sandbox.home)).toEqual(before);
    expect(Object.keys(sandbox.digest(sandbox.store)).join()).not.toMatch(/_cacache|home/);
  });

  test('layers are searched after the store, in order; installs only go to the store', async () => {
    const sandbox = await open();
    const [near, far] = [join(sandbox.root, 'near'), join(sandbox.root, 'far')];
    plant(sandbox, { store: far, version: '1.9.0' });
    mkdirSync(near);
    const env = { ANNEX_STORE: [sandbox.store, near, far].join(':') };
    const options = { node: node.path, env };
    const before = [near, far].map((layer) => sandbox.digest(layer));
    const one = await importIn(sandbox, ['alpha', 'native'], options);
    expect(one.imported).toMatchObject({
      alpha: { marker: 'planted', version: '1.9.0' },
      native: { marker: 'native' },
    });
    expect(one.lines).toHaveLength(2);
    expect([near, far].map((layer) => sandbox.digest(layer))).toEqual(before);
    plant(sandbox, { store: near, version: '1.5.0' });
    const two = await importIn(sandbox, ['alpha'], options);
    expect(two.imported.alpha).toMatchObject({ version: '1.5.0' });
    plant(sandbox, { version: '1.1.0' });
    const three = await importIn(sandbox, ['alpha'], options);
    expect(three.imported.alpha).toMatchObject({ version: '1.1.0' });
    const listed = await sandbox.annex(['list', '--json'], options);
    expect(JSON.parse(listed.stdout).features).toMatchObject([
      { where: 'store' },
      { where: 'store' },
    ]);
  });

  test('plain JavaScript is for any Node, a closure with an addon for this one', async () => {
    const sandbox = await open();
    const env = { ANNEX_STORE: sandbox.store };
    await importIn(sandbox, ['alpha', 'native'], { node: node.path, env });
    const { any, ...bound } = listEntries(sandbox.store);
    expect(any).toEqual([expect.stringMatching(/^alpha\./)]);
    const abi = await nameAbi(sandbox, node);
    expect(Object.keys(bound)).toEqual([expect.stringMatching(new RegExp(`^${abi}`))]);
    expect(Object.values(bound)).toEqual([[expect.stringMatching(/^native\./)]]);
  });

  test('an entry for another Node is neither loaded nor changed, and stays beside the new one', async () => {
    const sandbox = await open();
    const entry = plant(sandbox, { abi: 'node1-linux-x64-glibc' });
    const before = sandbox.digest(entry);
    const env = { ANNEX_STORE: sandbox.store };
    const options = { node: node.path, env };
    const denied = await importIn(sandbox, ['alpha'], {
      ...options,
      env: { ...env, ANNEX_ALLOW_INSTALLS: '0' },
    });
    expectRefused(denied.imported.alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/);
    const { imported } = await importIn(sandbox, ['alpha'], options);
    expect(imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(sandbox.digest(entry)).toEqual(before);
  });

  /** Content of the manifest, and the reason of an import without installs. */
  const damage: [string, string, string][] = [
    ['is of another format', '{"format":1,"closure":[]}', 'ANNEX_DENIED'],
    ['has half a manifest', '{"form', 'ANNEX_INTEGRITY'],
    ['has an empty manifest', '', 'ANNEX_INTEGRITY'],
    [
      'has an invalid manifest',
      '{"format":2,"closure":[null,1],"specs":{},"shared":{"x":null}}',
      'ANNEX_INTEGRITY',
    ],
  ];
  test('G4: a damaged entry is a miss: the next generation is installed beside it', async () => {
    const sandbox = await open();
    const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
    const first = await importIn(sandbox, ['alpha'], options);
    const [name = ''] = listEntries(sandbox.store).any ?? [];
    const entry = join(sandbox.store, 'v1', 'any', name);
    const manifest = join(entry, 'annex-entry.json');
    const deep = `"x":${'['.repeat(20_000)}${']'.repeat(20_000)},`;
    const nested = readFileSync(manifest, 'utf8').replace('{', `{${deep}`);
    chmodSync(manifest, 0o644);
    const all: typeof damage = [['is nested too deeply', nested, 'ANNEX_INTEGRITY'], ...damage];
    for (const [what, text, code] of all) {
      writeFileSync(manifest, text);
      const env = { ...options.env, ANNEX_ALLOW_INSTALLS: '0' };
      const { imported } = await importIn(sandbox, ['alpha'], { ...options, env });
      expect(imported.alpha, what).toMatchObject({ cause: { code } });
    }
    const before = sandbox.digest(entry);
    const again = await importIn(sandbox, ['alpha'], options);
    expect(again.imported).toEqual(first.imported);
    expect(again.lines).toHaveLength(3);
    expect(again.lines[0]).toMatch(/is damaged: annex-entry\.json is not as annex wrote it/);
    expect(listEntries(sandbox.store).any).toEqual([name, name.replace(/0$/, '1')]);
    expect(sandbox.digest(entry)).toEqual(before);
    const third = await importIn(sandbox, ['alpha'], options);
    expect(third.imported).toEqual(first.imported);
    expect(third.stderr).toBe('');
  });

  test('G4: unfinished entries are not visible', async () => {
    const sandbox = await open();
    const entry = plant(sandbox, {});
    const [name = ''] = readdirSync(dirname(entry));
    for (const place of ['staging', 'retired', 'locks', 'failures']) {
      mkdirSync(join(sandbox.store, 'v1', place));
      await sandbox.exec('cp', ['-a', entry, join(sandbox.store, 'v1', place, name)]);
    }
    await sandbox.exec('cp', ['-a', entry, join(dirname(entry), `${name}.tmp`)]);
    await sandbox.exec('cp', ['-a', entry, join(sandbox.store, name)]);
    await sandbox.exec('rm', ['-r', join(entry, 'annex-entry.json')]);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const { imported } = await importIn(sandbox, ['alpha'], { node: node.path, env });
    expectRefused(imported.alpha, 'ANNEX_INTEGRITY', /annex-entry\.json cannot be read \(ENOENT\)/);
  });
});
