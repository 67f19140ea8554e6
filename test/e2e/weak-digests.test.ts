/** G5: registries that list a weak digest or none: a lock has a sha512, and an unlocked weak digest is refused. */
import { createHash } from 'node:crypto';
import { describe, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { LOCK_FILES, lock, readLock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { packFixture } from '../support/package.ts';
import { openStrange, type Strangeness } from '../support/strange-registry.ts';

const kit = esmPackage('kit', '1.0.0', 'kit', { dependencies: { dep: '^1.0.0' } });
const dep = esmPackage('dep', '1.0.0', 'dep');
const { integrity } = packFixture(kit);

type List = NonNullable<Strangeness['list']>;
const listDigest =
  (algorithm: string): List =>
  ({ tarball }, bytes) => ({
    tarball,
    integrity: `${algorithm}-${createHash(algorithm).update(bytes).digest('base64')}`,
  });
const listShasum: List = ({ tarball, shasum }) => ({ tarball, shasum });
const listNothing: List = ({ tarball }) => ({ tarball });
const listOtherShasum: List = ({ tarball }) => ({ tarball, shasum: '0'.repeat(40) });

const open = (node: string, list: List) => openStrange(node, [kit, dep], { list });

describe.concurrent.each(outerNodes)('$label', ({ path: node }) => {
  test.for([
    ['a sha1', listShasum],
    ['a sha1 as integrity', listDigest('sha1')],
    ['a sha256', listDigest('sha256')],
    ['a sha384', listDigest('sha384')],
    ['nothing', listNothing],
  ] as const)('%s is listed: the sha512 of what came is locked', async ([, list], { expect }) => {
    const { sandbox, env } = await open(node, list);
    await lock(sandbox);
    const first = readLock(sandbox, 'kit');
    expect(first.packages['node_modules/kit']?.integrity).toBe(integrity);
    expect(first.packages['node_modules/dep']?.integrity).toBe(packFixture(dep).integrity);
    await lock(sandbox);
    for (const name of LOCK_FILES) {
      expect(readLock(sandbox, 'kit').texts[name]).toBe(first.texts[name]);
    }
    const checked = await sandbox.annex(['lock', '--check']);
    expect(checked).toMatchObject({ code: 0 });
    const { imported } = await importIn(sandbox, ['kit'], { env });
    expect(imported.kit?.marker).toBe('kit');
    expect(await sandbox.annex(['verify'], { env })).toMatchObject({ code: 0 });
  });

  test('a listed digest is compared while locking', async (context) => {
    const { sandbox } = await open(node, listOtherShasum);
    const { code, stderr } = await sandbox.annex(['lock']);
    context.expect(code).toBe(1);
    context
      .expect(stderr)
      .toMatch(/sent \d+ bytes with sha1-\S+, listed is sha1-\S+ \(ANNEX_INTEGRITY\)/);
  });

  test('without a lock a sha384 is accepted', async (context) => {
    const { sandbox, env } = await open(node, listDigest('sha384'));
    const { imported } = await importIn(sandbox, ['kit'], { env });
    context.expect(imported.kit?.marker).toBe('kit');
  });

  test.for([
    ['a sha1', listShasum, /no digest better than sha1/],
    ['a sha256', listDigest('sha256'), /no digest better than sha256/],
    ['nothing', listNothing, /no digest[^ ]* ?[,.]/],
  ] as const)('without a lock %s will not', async ([, list, reason], { expect }) => {
    const { sandbox, env, registry } = await open(node, list);
    const { imported } = await importIn(sandbox, ['kit'], { env });
    expectRefused(imported.kit, 'ANNEX_INTEGRITY', reason);
    expect(imported.kit?.cause?.hint).toMatch(/^lock the feature.*npx annex lock/);
    expect(registry.requests.filter((line) => line.endsWith('.tgz'))).toEqual([]);
  });
});
