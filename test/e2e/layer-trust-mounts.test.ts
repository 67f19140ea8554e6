/** Mounts in and below a layer that only root can change: it is hashed where they can show any owner. */
import { cpSync, mkdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { canMount, mount, unmountAll } from '../support/mount.ts';
import { outerNodes } from '../support/nodes.ts';
import { useRootLayer } from '../support/root-layer.ts';

describe.runIf(canMount()).each(outerNodes)('$label', ({ path: node }) => {
  const { at, findFile, change, load, expectRefused } = useRootLayer(node);

  test('hashes it on a file system that is not known to be local', async () => {
    await at.bakeLocked();
    change();
    for (const [type, marker] of [
      ['tmpfs', 'CHANGED'],
      ['ramfs', undefined],
    ] as const) {
      const layer = join(at.sandbox.root, type);
      mkdirSync(layer);
      mount('-t', type, '-o', 'mode=755', type, layer);
      onTestFinished(() => unmountAll(layer));
      cpSync(at.layer, layer, { recursive: true });
      const { other } = await load({ ANNEX_STORE: `${delimiter}${layer}` });
      expect(other?.marker, type).toBe(marker);
    }
  });

  test('hashes what another mount shows in an entry', async () => {
    await at.bakeLocked();
    change();
    const dir = dirname(findFile());
    const copy = join(at.sandbox.root, 'copy');
    cpSync(dir, copy, { recursive: true });
    mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', dir);
    onTestFinished(() => unmountAll(dir));
    cpSync(copy, dir, { recursive: true });
    await expectRefused();
    unmountAll(dir);
    expect((await load()).other?.marker).toBe('CHANGED');
  });
});
