/** The output of `annex bake` as a layer, a store and a read-only mount, also without a network. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { features, useBaking } from '../support/baking.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { copyLocks, listEntries } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { isRoot } from '../support/user.ts';

/** A separate namespace needs root, and in a container a capability that is rarely granted. */
function canUnshare(...args: string[]): boolean {
  try {
    execFileSync('unshare', args, { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
const canUnplug = isRoot && canUnshare('-n', 'true');
const canMount = isRoot && canUnshare('-m', 'mount', '--bind', '-o', 'ro', '/', '/mnt');

const [node] = nodes;
describe(`a baked directory, ${node?.label}`, () => {
  const at = useBaking();

  test('is a layer behind a store that may not exist', async () => {
    await at.bakeLocked();
    await at.registry.stop();
    const env = { ANNEX_STORE: [at.sandbox.store, at.layer].join(delimiter) };
    const before = at.sandbox.digest(at.sandbox.root);
    at.expectBaked(await at.load(['kit', 'other'], env));
    const listed = await at.sandbox.annex(['list', '--json'], { env });
    expect(JSON.parse(listed.stdout).features).toMatchObject([
      { where: 'layer' },
      { where: 'layer' },
    ]);
    expect(at.sandbox.digest(at.sandbox.root)).toMatchObject(before);
    expect(readdirSync(join(at.sandbox.store, '..'))).toEqual([]);
  });

  test('is a store that accepts further installs', async () => {
    await at.bakeLocked();
    at.declare({ ...features, alpha: '^1.0.0' });
    const env = { ANNEX_STORE: at.layer };
    const { imported } = await importIn(at.sandbox, ['kit', 'other', 'alpha'], { env });
    at.expectBaked({ imported, stderr: '' });
    expect(imported.alpha).toMatchObject({ version: '1.1.0' });
    expect(listEntries({ store: at.layer })).toHaveLength(3);
  });

  test.skipIf(!canMount)('is the only store of an image, mounted read-only', async () => {
    await at.bakeLocked();
    at.declare({ ...features, alpha: '^1.0.0' });
    const mounted = join(at.sandbox.root, 'mounted');
    mkdirSync(mounted);
    const script = 'mount --bind -o ro "$0" "$1" && shift && exec "$@"';
    const before = ['unshare', '-m', 'sh', '-c', script, at.layer, mounted];
    const env = { ANNEX_STORE: mounted, ANNEX_SEALED: '1' };
    const refused = await at.load(['alpha', 'kit', 'other'], env, before);
    at.expectBaked({ ...refused, stderr: '' });
    expectRefused(refused.imported.alpha, 'ANNEX_STORE_UNUSABLE', /read-only|EROFS/, 'alpha');
    const denied = await at.load(
      ['alpha', 'kit', 'other'],
      { ...env, ANNEX_ALLOW_INSTALLS: '0' },
      before,
    );
    at.expectBaked({ ...denied, stderr: '' });
    expect(denied.stderr).toBe(`${denied.imported.alpha?.cause?.message}\n`);
    expectRefused(denied.imported.alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'alpha');
  });

  test.skipIf(!canUnplug)(
    'works without a network; the error of a feature that is not baked says why',
    async () => {
      copyLocks(at.locked, at.sandbox);
      expect((await at.bake('kit')).code).toBe(0);
      at.declare({ ...features, alpha: '^1.0.0' });
      const env = { ANNEX_STORE: [at.sandbox.store, at.layer].join(delimiter) };
      const { imported } = await at.load(['kit', 'other', 'alpha'], env, ['unshare', '-n']);
      expect(imported.kit).toMatchObject({ version: '1.0.0', marker: 'kit' });
      // One is locked, and npm has to resolve the other.
      expectRefused(imported.other, 'ANNEX_OFFLINE', /127\.0\.0\.1/, 'other');
      expectRefused(imported.alpha, 'ANNEX_OFFLINE', /127\.0\.0\.1/, 'alpha');
    },
  );

  test('serves only a core with the same lock', async () => {
    await at.bakeLocked();
    const dir = join(at.sandbox.core, 'annex', 'other', 'annex.json');
    const text = readFileSync(dir, 'utf8').replace(/"any": "..../, '"any": "0000');
    at.sandbox.write(dir, text);
    const env = { ANNEX_STORE: at.layer, ANNEX_ALLOW_INSTALLS: '0' };
    const { imported } = await at.load(['kit', 'other'], env);
    expect(imported.kit?.marker).toBe('kit');
    expectRefused(imported.other, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'other');
  });
});
