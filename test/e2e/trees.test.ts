/** The core root in trees that the real tools make, with annex installed from a registry. */
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { dropSlowness } from '../support/process.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { listTreePackages, TREES, type Tree } from '../support/trees.ts';

const MARKER = 'from the store';
const NEEDED = cjsPackage('needed', '1.0.0', MARKER);

const REFUSED = ['ERR_MODULE_NOT_FOUND ANNEX_DENIED', 'MODULE_NOT_FOUND ANNEX_DENIED'];

type Way = Pick<Tree, 'start' | 'cwd'>;

let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([...listTreePackages(), NEEDED]);
});

describe.each(Object.entries(TREES))('%s', (_, build) => {
  let sandbox: Sandbox;
  let tree: Tree;

  beforeAll(async () => {
    sandbox = await createSandbox({ registry, linkAnnex: false });
    tree = await build(sandbox);
  });

  async function start(node: string, env: Record<string, string>, way: Way = tree) {
    const { code, stdout, stderr } = await sandbox.run(way.start, { node, cwd: way.cwd, env });
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    return { seen: JSON.parse(stdout) as Record<string, unknown>, stderr };
  }

  test('its own file installs, a dependency does not, and then both load the feature', async () => {
    const env = { ANNEX_STORE: sandbox.store };
    const before = sandbox.digest(tree.root);
    const { seen, stderr } = await start(process.execPath, env);
    const served = [MARKER, MARKER];
    expect(seen).toEqual({ core: tree.root, before: REFUSED, own: MARKER, after: served });
    expect(dropSlowness(stderr)).toMatch(
      /^annex: needed unavailable \(ANNEX_DENIED\).*\nannex: installing needed .*\nannex: installed needed 1\.0\.0 .*\n$/,
    );
    expect(sandbox.digest(tree.root)).toEqual(before);
  });

  test.each(nodes)(
    '$label: the feature is refused without a store, and loads from one',
    async ({ path: node }) => {
      const empty = join(sandbox.root, 'volume', 'empty');
      const off = { ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'error' };
      const refused = await start(node, { ANNEX_STORE: empty, ...off });
      expect(refused).toEqual({
        seen: { core: tree.root, before: REFUSED, own: REFUSED[0], after: REFUSED },
        stderr: '',
      });
      const served = [MARKER, MARKER];
      for (const way of [tree, ...(tree.also ?? [])]) {
        const found = await start(node, { ANNEX_STORE: sandbox.store, ANNEX_SEALED: '1' }, way);
        expect(found).toEqual({
          seen: { core: tree.root, before: served, own: MARKER, after: served },
          stderr: '',
        });
      }
    },
  );

  test('the command line finds the root, the feature and the absolute path of the loader', async () => {
    const cli = join(tree.annex, 'dist', 'cli', 'main.js');
    const env = { ANNEX_STORE: sandbox.store };
    const ask = async (command: string) => {
      const run = await sandbox.run([cli, command, '--json'], { cwd: tree.root, env });
      expect(run).toMatchObject({ code: 0, stderr: '' });
      return JSON.parse(run.stdout);
    };
    const packages = { needed: { range: '^1.0.0', version: '1.0.0', where: 'store' } };
    expect((await ask('list')).features).toMatchObject([
      { feature: 'needed', where: 'store', packages },
    ]);
    const { ANNEX_CORE, NODE_OPTIONS } = (await ask('env')).variables as Record<string, string>;
    const loader = NODE_OPTIONS?.replace(/^--import=(?=\/)/, '') ?? '';
    expect({ ANNEX_CORE, loader: realpathSync(loader) }).toEqual({
      ANNEX_CORE: tree.root,
      loader: join(tree.annex, 'loader.mjs'),
    });
    const started = await sandbox.run([resolve(tree.cwd, tree.start.at(-1) ?? '')], {
      cwd: sandbox.home,
      env: { ...env, ANNEX_CORE: tree.root, NODE_OPTIONS },
    });
    expect(started).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(started.stdout)).toMatchObject({ core: tree.root, own: MARKER });
  });
});
