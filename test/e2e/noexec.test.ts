/** Entries with an addon on volumes that are mounted noexec. */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readAbi } from '../../src/base/abi.ts';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { openWorld } from '../support/world.ts';

const REASON = 'its volume is mounted noexec, so its addons do not load';

const bound = (marker: string) => {
  const pkg = esmPackage('bound', '1.0.0', marker);
  return { ...pkg, files: { ...pkg.files, 'build/addon.node': 'no real one' } };
};

async function open() {
  const world = await openWorld({
    packages: [bound('registry'), esmPackage('plain', '1.0.0', 'registry')],
    annex: { features: { bound: '^1.0.0', plain: '^1.0.0' } },
  });
  const { sandbox } = world;
  const volume = join(sandbox.root, 'mounted');
  mkdirSync(volume);
  mount('-t', 'tmpfs', '-o', 'noexec,mode=755', 'tmpfs', volume);
  onTestFinished(() => void unmount(volume));
  const dir = sandbox.plantEntry({
    store: volume,
    feature: 'bound',
    packages: [bound('volume')],
    specs: { bound: '^1.0.0' },
    abi: readAbi(),
  });
  const specs = { plain: '^1.0.0' };
  const packages = [esmPackage('plain', '1.0.0', 'volume')] as const;
  sandbox.plantEntry({ store: volume, feature: 'plain', packages, specs });
  const load = async (env: Record<string, string>) =>
    (await importIn(sandbox, ['bound', 'plain'], { env })).imported;
  return { ...world, volume, dir, load };
}

const MODES = [
  { kind: 'executable', mode: 0o755 },
  { kind: 'readable', mode: 0o644 },
];

describe.runIf(canMount()).each(MODES)('an addon that is $kind', ({ mode }) => {
  test('in a layer: it is passed over with the reason, and the store gets the feature', async () => {
    const { sandbox, volume, dir, load } = await open();
    chmodSync(join(dir, 'node_modules/bound/build/addon.node'), mode);
    const ANNEX_STORE = `${sandbox.store}:${volume}`;
    const { bound, plain } = await load({ ANNEX_STORE, ANNEX_ALLOW_INSTALLS: '0' });
    expect(bound?.cause?.message).toContain(`, and ${dir}: ${REASON}`);
    expect(bound?.cause?.hint).toMatch(/^mount the layer without noexec, or /);
    expect(plain).toMatchObject({ marker: 'volume' });
    expect((await load({ ANNEX_STORE })).bound).toMatchObject({ marker: 'registry' });
    const { stdout } = await sandbox.annex(['why', 'bound', '--json'], { env: { ANNEX_STORE } });
    const copies = [
      { where: 'store', isUsed: true },
      { where: 'layer', why: REASON },
    ];
    expect(JSON.parse(stdout)).toMatchObject({ copies });
    mount('-o', 'remount,exec', volume);
    const again = await load({ ANNEX_STORE: `${join(sandbox.root, 'none')}:${volume}` });
    expect(again.bound).toMatchObject({ marker: 'volume' });
  });

  test('in the store: it is refused, and no install starts', async () => {
    const { sandbox, registry, volume, dir, load } = await open();
    chmodSync(join(dir, 'node_modules/bound/build/addon.node'), mode);
    const { bound, plain } = await load({ ANNEX_STORE: volume });
    expect(bound?.cause).toMatchObject({
      code: 'ANNEX_STORE_UNUSABLE',
      hint: 'mount the volume of the store without noexec',
    });
    expect(bound?.cause?.message).toContain(`${dir}: ${REASON}`);
    expect(plain).toMatchObject({ marker: 'volume' });
    expect(registry.requests).toEqual([]);
    const { stdout } = await sandbox.annex(['list', '--json'], { env: { ANNEX_STORE: volume } });
    const [listed] = JSON.parse(stdout).features;
    expect(listed).toMatchObject({ state: 'failed', refusal: { code: 'ANNEX_STORE_UNUSABLE' } });
  });
});

test.runIf(canMount())('nothing with an addon is installed into such a store', async () => {
  const { volume, load } = await open();
  const ANNEX_STORE = join(volume, 'annex');
  const { bound, plain } = await load({ ANNEX_STORE });
  expect(bound?.cause?.code).toBe('ANNEX_STORE_UNUSABLE');
  expect(bound?.cause?.message).toContain(`${ANNEX_STORE}: ${REASON}`);
  expect(plain).toMatchObject({ marker: 'registry' });
  expect(readdirSync(join(ANNEX_STORE, 'v1', readAbi()))).toEqual([]);
});
