/** `annex store path` and `annex store ls`: every entry with its state, whatever the store holds. */
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([esmPackage('pinned', '1.2.0', 'registry')]);
});

interface Row {
  feature: string;
  state: string;
  dir: string;
  [key: string]: unknown;
}

describe.each(outerNodes)('$label', (node) => {
  const open = async () => {
    const world = await openCli(node, { registry });
    const list = async (env: Record<string, string> = {}) => {
      const { code, stdout } = await world.annex(['store', 'ls', '--json'], { env });
      expect(code).toBe(0);
      const { entries } = JSON.parse(stdout) as { entries: Row[] };
      return new Map(entries.map(({ dir, ...rest }) => [dir, rest]));
    };
    return { ...world, list };
  };

  test('path prints the path of the store and nothing else, whether it exists or not', async () => {
    const { sandbox, layer, annex } = await open();
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    expect(await annex(['store', 'path'])).toMatchObject({
      code: 0,
      stdout: `${sandbox.store}\n`,
      stderr: '',
    });
    const json = await annex(['store', 'path', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ store: sandbox.store, layers: [layer] });
    const env = { ANNEX_STORE: undefined, ANNEX_SEALED: '1' };
    const none = await annex(['store', 'path'], { env });
    expect(none).toMatchObject({ code: 1, stdout: '' });
    expect(none.stderr).toMatch(/ANNEX_STORE_UNUSABLE/);
    expect((await annex(['store', 'ls'])).stdout).toBe('the stores hold no entry\n');
  });

  test('an entry whose manifest is not what was locked is damaged, and its versions are not shown', async () => {
    const { sandbox, annex, list } = await open();
    sandbox.setCore({ features: { pinned: '^1.0.0' } });
    expect((await annex(['lock', 'pinned'])).code).toBe(0);
    expect((await annex(['install', 'pinned'])).code).toBe(0);
    const [[dir = ''] = []] = await list();
    const manifest = join(dir, 'annex-entry.json');
    chmodSync(manifest, 0o644);
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('1.2.0', '1.2.9'));
    expect((await list()).get(dir)).toMatchObject({
      state: 'damaged',
      why: 'annex-entry.json is not what was locked',
      versions: {},
    });
  });

  test('every entry has its state, size, age and need', async () => {
    const { sandbox, layer, annex, plant, list } = await open();
    const dependencies = { shipped: '*' };
    const names = ['alpha', 'beta', 'pinned', 'shipped', 'broken', 'format'];
    const features = Object.fromEntries(names.map((name) => [name, '^1.0.0']));
    sandbox.setCore({ features }, { dependencies });
    sandbox.addPackage('app/node_modules', esmPackage('shipped', '1.0.0', 'core'));
    expect((await annex(['lock', 'pinned'])).code).toBe(0);
    const current = plant('alpha', '1.7.0');
    const lower = plant('alpha', '1.5.0');
    const baked = plant('alpha', '1.7.0', { store: layer });
    const foreign = plant('alpha', '1.7.0', { abi: 'node999-linux-x64-glibc' });
    const outside = plant('beta', '2.0.0', { specs: { beta: '^2.0.0' } });
    const unlocked = plant('pinned', '1.1.0');
    const shipped = plant('shipped', '1.0.0');
    const broken = plant('broken', '1.0.0');
    writeFileSync(join(broken, 'annex-entry.json'), '{}');
    const newer = plant('format', '1.0.0', { manifest: { format: 3 } });
    const stray = plant('stray', '1.0.0');
    const retired = plant('beta', '1.0.0');
    const mark = join(sandbox.store, 'v1', 'retired', `any.${basename(retired)}`);
    sandbox.write(mark, 'annex prune: replaced');
    const then = new Date(Math.floor(Date.now() / 1000 - 50 * 60 * 60) * 1000);
    utimesSync(join(current, 'annex-entry.json'), then, then);

    const entries = await list();
    const states = [...entries].map(([dir, { state }]) => [dir, state]);
    expect(Object.fromEntries(states)).toEqual({
      [current]: 'current',
      [lower]: 'replaced',
      [baked]: 'replaced',
      [foreign]: 'other Node',
      [outside]: 'other declaration',
      [unlocked]: 'other lock',
      [shipped]: 'replaced',
      [broken]: 'damaged',
      [newer]: 'unreadable',
      [stray]: 'undeclared',
      [retired]: 'retired',
    });
    expect(entries.get(current)).toEqual({
      feature: 'alpha',
      versions: { alpha: '1.7.0' },
      state: 'current',
      store: sandbox.store,
      isLayer: false,
      abi: 'any',
      bytes: expect.any(Number),
      published: then.toISOString(),
      neededBy: 'alpha',
    });
    expect(entries.get(baked)).toMatchObject({ store: layer, isLayer: true });
    expect(entries.get(shipped)).toMatchObject({ why: 'core ships it' });
    expect(entries.get(foreign)).toMatchObject({ neededBy: 'alpha on node999-linux-x64-glibc' });
    const until = new Date(statSync(mark).mtimeMs + 24 * 60 * 60_000).toISOString();
    expect(entries.get(retired)).toMatchObject({ why: 'annex prune: replaced', until });

    const { stdout } = await annex(['store', 'ls']);
    expect(stdout).toMatch(new RegExp(`^store ${sandbox.store}: 10 entries$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^layer ${layer}: 1 entry$`, 'm'));
    expect(stdout).toMatch(
      new RegExp(
        `^alpha +1\\.7\\.0 +current +2 d +0\\.0 MB +alpha +v1/any/${basename(current)}$`,
        'm',
      ),
    );
    expect(stdout).toMatch(new RegExp(`^beta .* retired until ${until.slice(0, 16)}Z `, 'm'));
  });

  test('ls --quiet prints the directories of entries alone, and other commands of store have no --quiet', async () => {
    const { sandbox, layer, annex, plant } = await open();
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const own = plant('alpha', '1.0.0');
    const baked = plant('beta', '1.0.0', { store: layer });
    const { code, stdout, stderr } = await annex(['store', 'ls', '-q']);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${own}\n${baked}\n`, stderr: '' });
    const path = await annex(['store', 'path', '-q']);
    expect(path).toMatchObject({ code: 2, stdout: '' });
    expect(path.stderr).toContain('store path has no --quiet');
  });

  test('text of a manifest is escaped and shortened, and links are not followed', async () => {
    const { sandbox, annex, plant, list } = await open();
    sandbox.setCore({ features: { alpha: '^1.0.0', long: '^1.0.0' } });
    const hostile = `1.0.0\u001b[2J\nstore /fake${'x'.repeat(10_000)}`;
    plant('alpha', '1.0.0', { packages: [esmPackage('alpha', hostile, 'planted')] });
    const many = Array.from({ length: 9 }, (_, at) => esmPackage(`p${at}`, '1.0.0', 'planted'));
    const specs = Object.fromEntries(many.map(({ name }) => [name, '*']));
    plant('long', '1.0.0', { packages: [esmPackage('long', '1.0.0', 'planted'), ...many], specs });
    const victim = plant('victim', '1.0.0', { store: join(sandbox.root, 'elsewhere') });
    const link = join(sandbox.store, 'v1', 'any', basename(victim));
    symlinkSync(victim, link);
    const abi = join(sandbox.store, 'v1', 'node999-linux-x64-glibc');
    symlinkSync(join(victim, '..'), abi);
    const before = sandbox.digest('elsewhere');
    const entries = await list();
    expect([...entries.keys()].filter((dir) => dir.startsWith(abi))).toEqual([]);
    expect(entries.get(link)).toEqual({
      feature: 'victim',
      versions: {},
      state: 'not trusted',
      why: 'it is not a directory',
      store: sandbox.store,
      isLayer: false,
      abi: 'any',
      published: expect.any(String),
    });
    for (const what of ['ls', 'df']) {
      const { code, stdout } = await annex(['store', what]);
      expect(code).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what the test is about.
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]|^store \/fake/m);
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(1_500);
      if (what === 'ls') expect(stdout).toContain('p0 1.0.0, p1 1.0.0, p2 1.0.0 and 6 more');
    }
    expect(sandbox.digest('elsewhere')).toEqual(before);
  });

  test('a store that is a file, or whose version directory is one, is an error', async () => {
    const { sandbox, annex } = await open();
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    mkdirSync(sandbox.store);
    writeFileSync(join(sandbox.store, 'v1'), '');
    expect((await annex(['store', 'ls'])).stdout).toBe('the stores hold no entry\n');
    rmSync(join(sandbox.store, 'v1'));
    renameSync(sandbox.store, join(sandbox.root, 'aside'));
    writeFileSync(sandbox.store, '');
    const { code, stderr } = await annex(['store', 'ls']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/is a file .*ANNEX_STORE_UNUSABLE/);
  });
});
