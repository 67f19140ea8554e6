/** A store with a wrong value in each field: each feature fails or heals by itself, and every command completes. */
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { copyLocks, listEntries, lock, node } from '../support/lock-files.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { listPaths, replaceAt, WRONG } from '../support/wrong-values.ts';

const features = { box: '^1.0.0' };

let registry: Registry;
let locked: Sandbox;

beforeAll(async () => {
  registry = await startRegistry([cjsPackage('box', '1.0.0', 'box')]);
  locked = await createSandbox({ registry, node: node.path });
  locked.setCore({ features });
  await lock(locked);
  const installed = await locked.annex(['install', 'box'], { env: { ANNEX_STORE: locked.store } });
  expect(installed).toMatchObject({ code: 0 });
});

const put = (path: string, content: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, content);
};

const MANIFEST = {
  format: 2,
  feature: 'any',
  specs: { any: '^1.0.0' },
  closure: [{ path: 'node_modules/any', name: 'any', version: '1.0.0', integrity: 'sha512-' }],
  shared: { zod: { ranges: ['*'], version: '3.0.0' } },
  private: ['any'],
  scripts: [],
  abi: 'any',
  tool: 'annex@1.0.0',
};

/** Output of a command: rows, or a record of them. */
type Said = Partial<Record<'features' | 'results' | 'entries', { feature: string }[]>>;

/** Loads all features in both ways, and returns the marker or error code of each. */
const PROGRAM = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const found = {};
for (const name of process.argv.slice(2)) {
  const ways = { import: () => import(name), require: async () => require(name) };
  for (const [how, load] of Object.entries(ways)) {
    const { marker, code, cause } = await load().catch((error) => error);
    found[name + ' ' + how] = marker ?? [code, cause?.code].join(' ');
  }
}
console.log(JSON.stringify(found));
`;

describe(node.label, () => {
  test('one wrong value in each of many manifests, failures and marks affects nothing else', async () => {
    const sandbox = await createSandbox({ registry, node: node.path });
    copyLocks(locked, sandbox);
    cpSync(locked.store, sandbox.store, { recursive: true });
    const wrong = listPaths(MANIFEST).flatMap((path, index) =>
      // Four of sixteen values for each place, so that each value is used in many places.
      WRONG.filter((_, at) => at % 4 === index % 4).map((value) =>
        replaceAt(MANIFEST, path, value),
      ),
    );
    const names = wrong.map((_, index) => `wrong-${index}`);
    const declared = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
    sandbox.setCore({ features: { ...features, ...declared } });
    for (const [index, manifest] of wrong.entries()) {
      const name = names[index] ?? '';
      const dir = sandbox.plantEntry({
        feature: name,
        packages: [cjsPackage(name, '1.0.0', 'planted')],
        specs: { [name]: '^1.0.0' },
      });
      const text = JSON.stringify(manifest)?.replaceAll('any', name) ?? '';
      put(join(dir, 'annex-entry.json'), text);
      const value = JSON.stringify(WRONG[index % WRONG.length]) ?? '';
      put(join(sandbox.store, 'v1', 'failures', `${name}.json`), `[${value},{"key":${value}}]`);
      if (index % 4 === 0) {
        put(join(sandbox.store, 'v1', 'retired', `any.${basename(dir)}`), value);
      }
    }
    sandbox.write('app/load.mjs', PROGRAM);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const flags = ['--import', sandbox.loader, 'load.mjs'];
    const loaded = await sandbox.run([...flags, 'box', ...names], { node: node.path, env });
    expect(loaded.code, loaded.stderr).toBe(0);
    const found = JSON.parse(loaded.stdout) as Record<string, string>;
    expect(found).toMatchObject({ 'box import': 'box', 'box require': 'box' });
    for (const [name, result] of Object.entries(found)) {
      const expected = /^(?:box|planted|(?:ERR_)?MODULE_NOT_FOUND ANNEX_(?:INTEGRITY|DENIED))$/;
      expect(result, name).toMatch(expected);
    }
    expect(loaded.stderr).not.toMatch(/fault|TypeError| at /);

    for (const args of [
      ['verify'],
      ['list'],
      ['refresh'],
      ['prune', '--dry-run'],
      ['why', 'box'],
      ['prune', '--days', '0'],
    ]) {
      const { code, stdout, stderr } = await sandbox.annex([...args, '--json'], {
        node: node.path,
        env,
      });
      expect([0, 1], stderr).toContain(code);
      expect(stderr, args.join()).not.toMatch(/fault|TypeError| at .*:\d/);
      const said: Said = JSON.parse(stdout);
      const rows = said.features ?? said.results ?? said.entries ?? [];
      if (args[0] === 'why') continue;
      expect(
        rows.filter(({ feature }) => feature === 'box'),
        args.join(),
      ).toHaveLength(1);
      const all = new Set(rows.map(({ feature }) => feature));
      expect([...all].filter((name) => name !== 'box' && !names.includes(name))).toEqual([]);
      expect(all.size, args.join()).toBeGreaterThan(
        args[0] === 'verify' ? names.length / 2 : names.length,
      );
    }
  });

  test.each(
    listPaths(MANIFEST).map((path, index) => [path.join('.') || 'all of it', path, index] as const),
  )(
    'a locked entry whose %s is wrong heals, or does not use that value',
    async (_, path, index) => {
      const sandbox = await createSandbox({ registry, node: node.path });
      sandbox.setCore({ features });
      copyLocks(locked, sandbox);
      cpSync(locked.store, sandbox.store, { recursive: true });
      const [entry = ''] = listEntries(sandbox);
      const file = join(entry, 'annex-entry.json');
      const { shared } = MANIFEST;
      const manifest = { ...JSON.parse(readFileSync(file, 'utf8')), shared };
      chmodSync(entry, 0o755);
      put(file, JSON.stringify(replaceAt(manifest, path, WRONG[1 + (index % (WRONG.length - 1))])));
      sandbox.write('app/load.mjs', PROGRAM);
      const env = { ANNEX_STORE: sandbox.store };
      const flags = ['--import', sandbox.loader, 'load.mjs', 'box'];
      const { stdout, stderr } = await sandbox.run(flags, { node: node.path, env });
      const all = { 'box import': 'box', 'box require': 'box' };
      expect(JSON.parse(stdout), stderr).toEqual(all);
      const verified = await sandbox.annex(['verify', '--json'], { env });
      expect(verified).toMatchObject({ code: 0, stderr: '' });
    },
  );
});
