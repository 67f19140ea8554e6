/** Full and read-only volumes, where a volume can be mounted. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, FORM, importIn } from '../support/importer.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { outerNodes } from '../support/nodes.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** A separate volume for a sandbox. */
function mountVolume(sandbox: Sandbox, size: string): string {
  const volume = join(sandbox.root, 'mounted');
  mkdirSync(volume);
  mount('-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', volume);
  onTestFinished(() => void unmount(volume));
  return volume;
}

async function openSandbox(): Promise<Sandbox> {
  const big = esmPackage('big', '1.0.0', 'big');
  const registry = await startRegistry([
    { ...big, files: { ...big.files, 'big.txt': randomBytes(400_000).toString('hex') } },
    esmPackage('small', '1.0.0', 'small'),
  ]);
  const sandbox = await createSandbox({ registry });
  sandbox.setCore({ features: { big: '^1.0.0', small: '^1.0.0' } });
  return sandbox;
}

describe.runIf(canMount()).each(outerNodes)('$label', (node) => {
  test('on a full volume the error has the reason, no partial entry is left, and a smaller package still installs', async () => {
    const sandbox = await openSandbox();
    const volume = mountVolume(sandbox, '300k');
    const store = join(volume, 'annex');
    const options = { node: node.path, env: { ANNEX_STORE: store } };
    const { imported, lines } = await importIn(sandbox, ['big', 'small'], options);
    expectRefused(imported.big, 'ANNEX_NO_SPACE', /ENOSPC|no space/, 'big');
    expect(imported.big?.cause?.hint).toMatch(/free space/);
    expect(imported.small).toMatchObject({ marker: 'small' });
    expect(lines[1]).toMatch(FORM);
    expect(lines).toHaveLength(4);
    expect(readdirSync(join(store, 'v1', 'any'))).toEqual([expect.stringMatching(/^small\./)]);
    for (const name of ['staging', 'locks', 'retired']) {
      expect(readdirSync(join(store, 'v1', name))).toEqual([]);
    }
  });

  test('an image for which a volume has no room is refused with the reason, and nothing is left', async () => {
    const sandbox = await openSandbox();
    // Enough for the entry alone.
    const layout = join(mountVolume(sandbox, '1100k'), 'layout');
    const args = ['bake', '--oci', layout, 'big', '--json'];
    const { code, stdout, stderr } = await sandbox.annex(args, { node: node.path });
    expect(code).toBe(1);
    expect(stderr).toContain('annex: installed big 1.0.0');
    expect(JSON.parse(stdout).error).toMatchObject({
      code: 'ANNEX_NO_SPACE',
      reason: expect.stringMatching(
        /layout cannot be used: no space is left on its volume \(ENOSPC/,
      ),
    });
    expect(readdirSync(layout)).toEqual([]);
  });

  test('a read-only volume: installed features load, others are refused', async () => {
    const sandbox = await openSandbox();
    const volume = mountVolume(sandbox, '10m');
    const store = join(volume, 'annex');
    const options = { node: node.path, env: { ANNEX_STORE: store } };
    const first = await importIn(sandbox, ['small'], options);
    expect(first.imported.small).toMatchObject({ marker: 'small' });
    mount('-o', 'remount,ro', volume);
    const { imported, lines } = await importIn(sandbox, ['small', 'big'], options);
    expect(imported.small).toMatchObject({ marker: 'small' });
    expectRefused(imported.big, 'ANNEX_STORE_UNUSABLE', /EROFS/, 'big');
    expect(lines).toEqual([expect.stringMatching(FORM)]);
    const env = { ANNEX_STORE: join(volume, 'not', 'there') };
    const other = await importIn(sandbox, ['small'], { ...options, env });
    expectRefused(other.imported.small, 'ANNEX_STORE_UNUSABLE', /EROFS/, 'small');
  });
});
