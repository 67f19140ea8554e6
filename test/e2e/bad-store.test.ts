/** Stores that are unusable, read-only or untrusted: refused with a reason and left unchanged. */
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, FORM, importIn, NOTICE } from '../support/importer.ts';
import { makeOwner } from '../support/locks.ts';
import { outerNodes } from '../support/nodes.ts';
import type { RunOptions, Sandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo, isRoot, PLAIN_USER } from '../support/user.ts';
import { openWorld, type World } from '../support/world.ts';

const ANOTHER_USER = { uid: 4712, gid: 4712 };

const packages = [esmPackage('beta', '1.0.0', 'from-registry')];
const features = { alpha: '^1.0.0', beta: '^1.0.0' };

/** An application that declares `alpha` and `beta`; for other users annex is a copy, which they can read. */
const open = (copyAnnex = false) => openWorld({ packages, annex: { features }, copyAnnex });

/** Plants an entry of `alpha`. */
const plant = (sandbox: Sandbox, store = sandbox.store): string =>
  sandbox.plantEntry({
    store,
    feature: 'alpha',
    packages: [esmPackage('alpha', '1.0.0', 'planted')],
    specs: { alpha: '^1.0.0' },
  });

/** Every path that a program could write to. */
const digestAll = ({ digest, core, store, home }: Sandbox) =>
  [core, dirname(store), home].map((directory) => digest(directory));

/** Imports both, and expects a refusal for the store: one line or two, no request, nothing written. */
async function expectUnusable(
  { sandbox, registry }: World,
  options: RunOptions,
  reason: RegExp,
  form: RegExp,
): Promise<void> {
  const before = digestAll(sandbox);
  const { imported, lines } = await importIn(sandbox, ['beta'], options);
  expectRefused(imported.beta, 'ANNEX_STORE_UNUSABLE', reason, 'beta');
  // A notice at the start is followed by the line of the requested feature.
  expect([1, 2]).toContain(lines.length);
  for (const [index, line] of lines.entries()) {
    expect(line).toMatch(index === 0 ? form : FORM);
    expect(line).toMatch(reason);
    expect(line).toContain('(ANNEX_STORE_UNUSABLE)');
    expect(line).not.toContain('npm install');
  }
  expect(registry.requests).toEqual([]);
  expect(digestAll(sandbox)).toEqual(before);
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  test.for([
    ['is relative', 'volume/annex', /store volume\/annex is not an absolute path/],
    ['is in the core', 'CORE/annex', /lies inside the core/],
    ['is the core', 'CORE', /lies inside the core/],
    ['is in the core by a detour', 'ROOT/volume/../app/annex', /lies inside the core/],
    ['is above the core', 'ROOT', /lies above the core/],
    ['is the root directory', '/', /lies above the core/],
    ['is a file', 'ROOT/file', /is a file/],
    ['lies below a file', 'ROOT/file/annex', /lies below a file/],
    ['is a link into the core', 'ROOT/into-core', /lies inside the core/],
    ['lies behind a link into the core', 'ROOT/into-core/annex', /lies inside the core/],
    ['is a link to what is above the core', 'ROOT/above-core', /lies above the core/],
    ['is a link to nothing', 'ROOT/dangling', /is a dangling link/],
    ['is a link to itself', 'ROOT/loop', /is a dangling link/],
  ] as const)('a store that %s', async ([, path, reason]) => {
    const world = await open();
    const { sandbox } = world;
    const { root, core } = sandbox;
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(core, 'inside'), join(root, 'into-core'));
    mkdirSync(join(core, 'inside'));
    symlinkSync(root, join(root, 'above-core'));
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
    symlinkSync('loop', join(root, 'loop'));
    const store = path.replace('CORE', core).replace('ROOT', root);
    const options = { node: node.path, env: { ANNEX_STORE: store } };
    await expectUnusable(world, options, reason, /^annex: /);
  });

  test('a store behind a link to a usable directory works, and so does one below it', async () => {
    const { sandbox } = await open();
    const link = join(sandbox.root, 'link');
    symlinkSync(dirname(sandbox.store), link);
    plant(sandbox);
    const env = { ANNEX_STORE: join(link, 'annex') };
    const { imported } = await importIn(sandbox, ['alpha', 'beta'], { node: node.path, env });
    expect(imported.alpha).toMatchObject({ marker: 'planted' });
    expect(imported.beta).toMatchObject({ marker: 'from-registry' });
    expect(Object.keys(sandbox.digest(sandbox.store)).join()).toMatch(/v1\/any\/beta\./);
  });

  test('an unusable layer is left out, with a line; the others are searched', async () => {
    const { sandbox } = await open();
    const layer = join(sandbox.root, 'layer');
    plant(sandbox, layer);
    const list = [sandbox.store, 'relative', join(sandbox.core, 'x'), layer].join(':');
    const options = { node: node.path, env: { ANNEX_STORE: list } };
    const { imported, lines } = await importIn(sandbox, ['alpha'], options);
    expect(imported.alpha).toMatchObject({ marker: 'planted' });
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(NOTICE);
    expect(lines.join()).toMatch(/store relative is not an absolute path; it is left out/);
  });

  test('with an unusable store the first layer does not become the store', async () => {
    const { sandbox } = await open();
    const layer = join(sandbox.root, 'layer');
    plant(sandbox, layer);
    const before = sandbox.digest(layer);
    const options = { node: node.path, env: { ANNEX_STORE: `relative:${layer}` } };
    const { imported } = await importIn(sandbox, ['alpha', 'beta'], options);
    expect(imported.alpha).toMatchObject({ marker: 'planted' });
    expectRefused(imported.beta, 'ANNEX_STORE_UNUSABLE', /not an absolute path/);
    await sandbox.annex(['uninstall', 'alpha'], options);
    expect(sandbox.digest(layer)).toEqual(before);
  });

  describe('as a plain user', () => {
    test.for([
      ['is not there, on a volume that the user may not write', () => {}, /EACCES/],
      ['is there and may not be written', (store: string) => mkdirSync(store), /EACCES/],
      [
        'cannot be searched',
        (store: string) => {
          mkdirSync(store);
          chmodSync(dirname(store), 0o700);
        },
        /EACCES/,
      ],
      [
        'is writable by every user',
        (store: string) => {
          mkdirSync(store);
          chmodSync(store, 0o777);
        },
        /is writable by everybody/,
      ],
    ] as const)('a store that %s', async ([, prepare, reason]) => {
      const world = await open(true);
      const { sandbox } = world;
      prepare(sandbox.store);
      const env = { ANNEX_STORE: sandbox.store };
      await expectUnusable(world, { node: node.path, env, ...asPlainUser }, reason, FORM);
      chmodSync(dirname(sandbox.store), 0o755);
    });

    test('an entry that root installed into a read-only store is used', async () => {
      const { sandbox } = await open(true);
      plant(sandbox);
      const before = digestAll(sandbox);
      const env = { ANNEX_STORE: sandbox.store };
      const options = { node: node.path, env, ...asPlainUser };
      const { imported, lines } = await importIn(sandbox, ['alpha'], options);
      expect(imported.alpha).toMatchObject({ marker: 'planted' });
      expect(lines).toEqual([]);
      expect(digestAll(sandbox)).toEqual(before);
    });
  });

  describe.runIf(isRoot)('a store of another user', () => {
    test.for([
      ['of the application, for root', PLAIN_USER, {}, /belongs to uid 4711.*process is root/],
      ['of another user', ANOTHER_USER, PLAIN_USER, /belongs to uid 4712/],
    ] as const)('%s: neither used nor written nor swept', async ([, owner, user, reason]) => {
      const world = await open(true);
      const { sandbox } = world;
      plant(sandbox);
      const dead = makeOwner({ start: '1' });
      const locks = join(sandbox.store, 'v1/locks');
      for (const dir of [`alpha.lock/${dead}`, `beta.lock/${dead}`, `../staging/beta.${dead}`]) {
        mkdirSync(join(locks, dir), { recursive: true });
      }
      giveTo(owner, sandbox.store);
      const options = { node: node.path, env: { ANNEX_STORE: sandbox.store }, ...user };
      await expectUnusable(world, options, reason, FORM);
      const before = digestAll(sandbox);
      const { imported } = await importIn(sandbox, ['alpha'], options);
      expectRefused(imported.alpha, 'ANNEX_STORE_UNUSABLE', reason, 'alpha');
      const retried = await sandbox.annex(['install', 'beta'], options);
      expect(retried.code).toBe(1);
      expect(retried.stderr).toMatch(reason);
      const removed = await sandbox.annex(['uninstall', 'alpha'], options);
      expect(removed.code).toBe(1);
      expect(digestAll(sandbox)).toEqual(before);
    });

    test('an entry of another user among valid ones is skipped', async () => {
      const { sandbox } = await open(true);
      const entry = plant(sandbox);
      giveTo(PLAIN_USER, sandbox.store);
      giveTo(ANOTHER_USER, entry);
      const options = { node: node.path, env: { ANNEX_STORE: sandbox.store }, ...PLAIN_USER };
      const env = { ...options.env, ANNEX_ALLOW_INSTALLS: '0' };
      const { imported } = await importIn(sandbox, ['alpha'], { ...options, env });
      expectRefused(imported.alpha, 'ANNEX_DENIED', /ALLOW_INSTALLS/);
      chownSync(entry, PLAIN_USER.uid, PLAIN_USER.gid);
      const again = await importIn(sandbox, ['alpha'], { ...options, env });
      expect(again.imported.alpha).toMatchObject({ marker: 'planted' });
    });

    test('root trusts its own store only while no other user can change a directory above it', async () => {
      const { sandbox } = await open();
      plant(sandbox);
      const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
      const load = async () => (await importIn(sandbox, ['alpha'], options)).imported.alpha;
      expect(await load()).toMatchObject({ marker: 'planted' });
      chmodSync(dirname(sandbox.store), 0o777);
      expectRefused(await load(), 'ANNEX_STORE_UNUSABLE', /volume is writable by others/);
      chmodSync(dirname(sandbox.store), 0o1777);
      expect(await load()).toMatchObject({ marker: 'planted' });
      chownSync(dirname(sandbox.store), PLAIN_USER.uid, PLAIN_USER.gid);
      expectRefused(await load(), 'ANNEX_STORE_UNUSABLE', /volume belongs to uid 4711/);
    });
  });
});
