/** A disk that fills up at any step of a locked install: the reason, no partial entry, and success once there is room. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { listEntries, listStaging, lock, node } from '../support/lock-files.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const files = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [
    `lib/${index}.txt`,
    randomBytes(2_000).toString('hex'),
  ]),
);

describe.runIf(canMount())(node.label, () => {
  test.each([
    ['bytes', (step: number) => `size=${100 + 16 * step}k`],
    ['names', (step: number) => `size=10m,nr_inodes=${34 + 4 * step}`],
  ])('of %s: ANNEX_NO_SPACE, wherever it ends', async (_, limit) => {
    const big = esmPackage('big', '1.0.0', 'big');
    const registry = await startRegistry([
      { ...big, files: { ...big.files, ...files } },
      esmPackage('small', '1.0.0', 'small'),
    ]);
    const sandbox = await createSandbox({ registry, node: node.path });
    sandbox.setCore({ features: { big: '^1.0.0', small: '^1.0.0' } });
    await lock(sandbox);
    const volume = join(sandbox.root, 'mounted');
    mkdirSync(volume);
    mount('-t', 'tmpfs', '-o', `${limit(0)},mode=755`, 'tmpfs', volume);
    onTestFinished(() => void unmount(volume));
    const store = join(volume, 'annex');
    const install = (name: string) =>
      sandbox.annex(['install', name, '--json'], { env: { ANNEX_STORE: store } });
    expect(await install('small')).toMatchObject({ code: 0 });
    const [small = ''] = listEntries({ store });
    const before = sandbox.digest(small);
    const ends = new Set<string>();
    for (let step = 0; listEntries({ store }).length < 2; step += 1) {
      mount('-o', `remount,${limit(step)}`, volume);
      const { stdout } = await install('big');
      const [result] = JSON.parse(stdout).results as {
        outcome: string;
        refusal?: { code: string };
      }[];
      ends.add(result?.refusal?.code ?? result?.outcome ?? '');
      expect(listStaging({ store })).toEqual([]);
      expect(readdirSync(join(store, 'v1', 'retired'))).toEqual([]);
      expect(sandbox.digest(small)).toEqual(before);
      expect(step).toBeLessThan(40);
    }
    expect([...ends]).toEqual(['ANNEX_NO_SPACE', 'installed']);
  });
});
