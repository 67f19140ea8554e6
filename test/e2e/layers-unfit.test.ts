/** Entries in a layer that do not fit: the error, list, doctor and why name them, with a remedy for layers. */
import { appendFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { lock } from '../support/lock-files.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import { giveTo, isRoot, PLAIN_USER } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const PLATFORM = `${process.platform}-${process.arch}-glibc`;
const SWITCHED_OFF = 'installs are switched off by ANNEX_ALLOW_INSTALLS';

async function open(node: NodeUnderTest, isOff = true) {
  const world = await openWorld({
    packages: [esmPackage('alpha', '1.0.0', 'registry')],
    annex: { features: { alpha: '^1.0.0' } },
    node: node.path,
  });
  const { sandbox } = world;
  const layer = join(sandbox.root, 'layer');
  const version = node.label.replace(/^v?(\d+).*/, '$1');
  const env = {
    ANNEX_STORE: `${sandbox.store}:${layer}`,
    ...(isOff && { ANNEX_ALLOW_INSTALLS: '0' }),
  };
  return {
    ...world,
    layer,
    version,
    release: `Node ${version}`,
    env,
    plant: (options: object = {}): string =>
      sandbox.plantEntry({
        store: layer,
        feature: 'alpha',
        packages: [esmPackage('alpha', '1.0.0', 'layer')],
        specs: { alpha: '^1.0.0' },
        ...options,
      }),
    /** The cause of the failed import. */
    ask: async () => (await importIn(sandbox, ['alpha'], { env })).imported.alpha?.cause,
    annex: async (...args: string[]) =>
      JSON.parse((await sandbox.annex([...args, '--json'], { env })).stdout),
  };
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test('one for another Node is named, and the remedy is to bake with this one', async () => {
    const { plant, ask, annex, release, version } = await open(node);
    const dir = plant({ abi: `node108-${PLATFORM}` });
    const reason = `${SWITCHED_OFF}, and ${dir} is for Node 18, and this is Node ${version}`;
    const hint = `bake the layer with ${release}, or unset ANNEX_ALLOW_INSTALLS`;
    const cause = await ask();
    expect(cause?.message).toContain(reason);
    expect(cause?.hint).toBe(hint);
    const { features } = await annex('list');
    expect(features).toMatchObject([{ where: 'denied', refusal: { reason, hint } }]);
    const { findings } = await annex('doctor');
    expect(findings).toContainEqual(
      expect.objectContaining({ id: 'features.import', remedy: hint }),
    );
    expect(await annex('why', 'alpha')).toMatchObject({
      refusal: { reason, hint },
      copies: [{ where: 'layer', dir, isUsed: false, why: `it is for node108-${PLATFORM}` }],
    });
  });

  test('one for another platform is named with both', async () => {
    const { plant, ask, release } = await open(node);
    const dir = plant({ abi: 'node108-linux-s390x-glibc' });
    const cause = await ask();
    expect(cause?.message).toContain(
      `${dir} is for Node 18 on linux-s390x-glibc, and this is ${release} on ${PLATFORM}`,
    );
    expect(cause?.hint).toMatch(`bake the layer with ${release} on ${PLATFORM}, or `);
  });

  test('one in the store is named as well, without a word of layers', async () => {
    const { plant, sandbox, env, release } = await open(node);
    const dir = plant({ store: sandbox.store, abi: `node999-${PLATFORM}` });
    const options = { env: { ...env, ANNEX_STORE: sandbox.store } };
    const { imported } = await importIn(sandbox, ['alpha'], options);
    expect(imported.alpha?.cause?.message).toContain(
      `${dir} is for a Node of NODE_MODULE_VERSION 999, and this is ${release}`,
    );
    expect(imported.alpha?.cause?.hint).toMatch(/^run it with a Node of .*, or unset ANNEX_ALLOW/);
  });

  test('one of another lock is to be baked again from this one', async () => {
    const { plant, ask, sandbox } = await open(node);
    await lock(sandbox);
    const dir = plant({ id: '0'.repeat(32) });
    const cause = await ask();
    expect(cause?.message).toContain(`${dir} is of another lock`);
    expect(cause?.hint).toBe('bake the layer again from this lock, or unset ANNEX_ALLOW_INSTALLS');
  });

  test('one with a changed file is to be baked again', async () => {
    const { plant, ask } = await open(node);
    const dir = plant();
    appendFileSync(join(dir, 'node_modules/alpha/index.js'), '// changed');
    const cause = await ask();
    expect(cause?.message).toContain(`${dir} is damaged: node_modules/alpha/index.js`);
    expect(cause?.hint).toBe('bake the layer again and mount it, or unset ANNEX_ALLOW_INSTALLS');
  });

  test.runIf(isRoot)('one of another owner is to belong to root', async () => {
    const { plant, ask, layer } = await open(node);
    plant();
    giveTo(PLAIN_USER, layer);
    const cause = await ask();
    expect(cause?.message).toContain(`${layer} belongs to uid ${PLAIN_USER.uid}`);
    expect(cause?.hint).toMatch(/^let root own the layer, and nobody else write it, or /);
    giveTo({ uid: 0, gid: 0 }, layer);
    chmodSync(layer, 0o777);
    expect((await ask())?.message).toContain(`${layer} is writable by`);
  });

  test('a layer without the feature: the remedy speaks of it', async () => {
    const { ask } = await open(node);
    const cause = await ask();
    expect(cause?.message).not.toContain(', and ');
    expect(cause?.hint).toBe('bake it into a layer, or unset ANNEX_ALLOW_INSTALLS');
  });

  test('where installs are allowed, doctor warns, and a failed install names it', async () => {
    const { plant, ask, annex, registry, release } = await open(node, false);
    const dir = plant({ abi: `node108-${PLATFORM}` });
    const { findings } = await annex('doctor');
    const found = findings.find(({ id }: { id: string }) => id === 'features.import');
    expect(found).toMatchObject({ level: 'warning', remedy: `bake the layer with ${release}` });
    expect(found.text).toContain(`${dir} is for Node 18`);
    await registry.stop();
    const cause = await ask();
    expect(cause?.code).toBe('ANNEX_OFFLINE');
    expect(cause?.message).toContain(`, and ${dir} is for Node 18`);
    expect(cause?.hint).toMatch(`bake the layer with ${release}, or `);
  });
});
