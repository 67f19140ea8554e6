/** One store for images with different Nodes: each loads only its own entries, and nothing is lost (G2, G5). */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { listEntries } from '../support/lock-files.ts';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld } from '../support/world.ts';

/** Its marker names the loaded file. */
const packageOf = (name: string, files: Record<string, string> = {}): PackageFixture => ({
  ...esmPackage(name, '1.0.0', ''),
  files: {
    'index.js': `export const version = '1.0.0'; export const marker = import.meta.url;`,
    ...files,
  },
});
const packages = [packageOf('plain'), packageOf('bound', { 'build/addon.node': 'no real one' })];
const features = { plain: '^1.0.0', bound: '^1.0.0' };

/** The Node of one image: its binary, and its variables. */
interface Image {
  node: string;
  env: Record<string, string>;
}

/** The oldest and the newest Node under test; a single one is made to report another ABI. */
function listImages(sandbox: Sandbox): [before: Image, after: Image] {
  const [oldest, newest] = [nodes[0], nodes.at(-1)] as [NodeUnderTest, NodeUnderTest];
  const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
  const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG };
  const other = sandbox.write(
    'other-abi.cjs',
    `Object.defineProperty(process.versions, 'modules', { value: '999' });`,
  );
  const extra: Record<string, string> =
    oldest === newest ? { NODE_OPTIONS: `--require=${other}` } : {};
  return [
    { node: oldest.path, env },
    { node: newest.path, env: { ...env, ...extra } },
  ];
}

async function open() {
  const { sandbox, registry } = await openWorld({ packages, annex: { features } });
  const [before, after] = listImages(sandbox);
  return {
    sandbox,
    registry,
    before,
    after,
    /** The ABI directory of an image. */
    nameAbi: async (image: Image) => {
      const facts = '["node" + process.versions.modules, process.platform, process.arch].join("-")';
      return (await sandbox.run(['-p', facts], image)).stdout.trim();
    },
    run: async (image: Image, ...args: string[]) => {
      const ended = await sandbox.annex([...args, '--json'], image);
      expect(ended.code, ended.stderr).toBe(0);
      return JSON.parse(ended.stdout);
    },
    /** Imports both, with installs off. */
    load: async ({ node, env }: Image) => {
      const off = { node, env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } };
      return (await importIn(sandbox, ['plain', 'bound'], off)).imported;
    },
  };
}

test('an image rebuilt on another Node keeps using plain JavaScript, installs other addons, and a rollback finds its own', async () => {
  const { sandbox, registry, before, after, nameAbi, run, load } = await open();
  await run(before, 'install', '--all');
  const [old, current] = [await nameAbi(before), await nameAbi(after)];
  expect(old).not.toBe(current);
  const first = await load(before);
  expect(first.plain?.marker).toContain('/v1/any/plain.');
  expect(first.bound?.marker).toContain(`/v1/${old}`);
  const entries = listEntries(sandbox);
  const digests = entries.map((dir) => sandbox.digest(dir));

  const asked = registry.requests.length;
  const upgraded = await load(after);
  expect(upgraded.plain, 'offline it is still there').toEqual(first.plain);
  expectRefused(upgraded.bound, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'bound');
  expect(registry.requests).toHaveLength(asked);

  expect((await run(after, 'refresh')).results).toMatchObject([
    { feature: 'plain', outcome: 'current' },
    { feature: 'bound', outcome: 'refreshed' },
  ]);
  const second = await load(after);
  expect(second.plain).toEqual(first.plain);
  expect(second.bound?.marker).toContain(`/v1/${current}`);
  expect(listEntries(sandbox)).toHaveLength(3);

  expect(await load(before), 'a rollback').toEqual(first);
  const both = await Promise.all([load(before), load(after), load(before), load(after)]);
  expect(both, 'side by side').toEqual([first, second, first, second]);
  for (const image of [before, after]) {
    const { entries: pruned } = await run(image, 'prune', '--days', '0');
    expect(pruned.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
      Array(3).fill('kept'),
    );
  }
  expect(entries.map((dir) => sandbox.digest(dir))).toEqual(digests);
});

test('entries for another C library, system or processor are not loaded, and stay', async () => {
  const { sandbox, before, nameAbi, run, load } = await open();
  const abi = await nameAbi(before);
  const [modules = ''] = abi.split('-');
  const others = [`${abi}-musl`, `${modules}-darwin-arm64`, `${modules}-linux-s390x-glibc`];
  const planted = others.map((name) =>
    sandbox.plantEntry({
      feature: 'bound',
      packages: [esmPackage('bound', '1.9.0', 'stale')],
      specs: { bound: '^1.0.0' },
      abi: name,
    }),
  );
  const digests = planted.map((dir) => sandbox.digest(dir));
  expectRefused((await load(before)).bound, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'bound');
  expect((await run(before, 'refresh')).results).toMatchObject([
    { feature: 'bound', outcome: 'refreshed' },
  ]);
  expect((await load(before)).bound?.marker).toContain(join(sandbox.store, 'v1', `${abi}-glibc`));
  expect(planted.map((dir) => sandbox.digest(dir))).toEqual(digests);
});
