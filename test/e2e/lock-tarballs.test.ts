/** Tarballs that match the lock but cannot be unpacked: nothing is published. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { identify } from '../../src/plan/identity.ts';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { listEntries, listStaging, lockBefore, node, readLock } from '../support/lock-files.ts';
import { packFixture } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { writeTarball } from '../support/tarball.ts';

const kit = esmPackage('kit', '1.0.0', 'kit');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const open = lockBefore({
  packages: [kit, esmPackage('other', '3.0.0', 'other')],
  annex: { features: { kit: '^1.0.0', other: '^3.0.0' } },
});

describe(`${node.label}: a locked tarball that`, () => {
  const files = [{ path: 'package/package.json', data: '{"name":"other","version":"3.0.0"}' }];
  const whole = writeTarball(files);
  test.each([
    ['is cut short', whole.subarray(0, whole.length - 20), /too large|does not unpack/],
    ['is empty', Buffer.alloc(0), /has no files/],
    ['is no archive', Buffer.from('<html></html>'), /is truncated/],
    ['is an empty archive', writeTarball([]), /has no files/],
    [
      'has a path that leads out',
      writeTarball([...files, { path: 'package/../x' }]),
      /a path out of the package/,
    ],
    ['is a bomb', gzipSync(Buffer.alloc(300 * 2 ** 20), { level: 1 }), /too large/],
  ])('%s: nothing is published', async (_, tarball, reason) => {
    const bad = { ...esmPackage('other', '3.0.0', 'bad'), tarball };
    const { sandbox } = await open({ packages: [kit, bad] });
    const { integrity } = packFixture(bad);
    lockBytes(sandbox, integrity, tarball.length);
    const env = { ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['other', 'kit'], { env });
    expectRefused(imported.other, 'ANNEX_INTEGRITY', /: the tarball of other 3\.0\.0: it /);
    expect(imported.other?.cause?.message).toMatch(reason);
    expect(imported.kit?.marker).toBe('kit');
    expect(listEntries(sandbox)).toHaveLength(1);
    expect(listStaging(sandbox)).toEqual([]);
  });

  test('never ends is read only up to its size, and nothing is published', async () => {
    const { sandbox, registry } = await open();
    registry.fault({ kind: 'endless' }, /other.*\.tgz$/);
    const env = { ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['other', 'kit'], { env });
    const size = readLock({ core: sandbox.core }, 'other').sidecar.packages['node_modules/other'];
    expectRefused(
      imported.other,
      'ANNEX_INTEGRITY',
      new RegExp(`other@3\\.0\\.0: \\S+ sends more than ${size?.size} bytes`),
    );
    expect(imported.kit?.marker).toBe('kit');
    // Two tries, and the buffers of the system for each.
    expect(registry.sent).toBeLessThan(32 * 2 ** 20);
    expect(listEntries(sandbox)).toHaveLength(1);
    expect(listStaging(sandbox)).toEqual([]);
  });

  /** Locks these bytes, which `annex lock` refuses. */
  function lockBytes({ write, core }: Sandbox, integrity: string, size: number): void {
    const { sidecar, packages: known, texts } = readLock({ core }, 'other');
    const path = 'node_modules/other';
    const before = known[path]?.integrity ?? '';
    const text = (texts['package-lock.json'] ?? '').replace(before, integrity);
    const closure = [{ path, name: 'other', version: '3.0.0', integrity }];
    const any = identify({ closure, shared: {}, private: ['other'], scripts: [] });
    const digests = { ...sidecar.digests, 'package-lock.json': sha256(text) };
    write('app/annex/other/package-lock.json', text);
    const record = { ...sidecar.packages[path], size };
    const changed = { ids: { any }, digests, packages: { [path]: record } };
    write('app/annex/other/annex.json', { ...sidecar, ...changed });
  }
});
