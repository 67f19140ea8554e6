/** `annex doctor` finds what is wrong with a store, its volume and its layers. */

import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { diagnose, expectFinding } from '../support/doctor.ts';
import { esmPackage } from '../support/fixtures.ts';
import { lockBefore, node } from '../support/lock-files.ts';
import { makeOwner } from '../support/locks.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo, isRoot, PLAIN_USER } from '../support/user.ts';

/** Its tarball has about 50 kB. */
const plain = esmPackage('kit', '1.0.0', 'kit');
const kit = {
  ...plain,
  files: { ...plain.files, 'data.txt': randomBytes(50_000).toString('hex') },
};
const features = { kit: '^1.0.0', native: '^1.0.0' };
const here = ['linux-arm64-glibc', 'linux-x64-glibc'];
const bound = { os: ['linux'], cpu: ['x64', 'arm64'] };

const open = lockBefore({
  packages: [kit, esmPackage('native', '1.0.0', 'native', bound)],
  annex: { features, platforms: here },
  copyAnnex: true,
});

describe.concurrent(node.label, () => {
  test('a store that is a file', async () => {
    const { sandbox } = await open();
    writeFileSync(sandbox.store, '');
    const diagnosis = await diagnose(sandbox);
    expectFinding(
      diagnosis,
      'installs.allowed',
      /^problem the store \S+ is a file\. Now: set ANNEX/,
    );
    expect(diagnosis.of('settings.invalid')).toEqual([]);
  });

  test('a store that is a dangling link', async () => {
    const { sandbox } = await open();
    symlinkSync(join(sandbox.root, 'absent'), sandbox.store);
    expectFinding(await diagnose(sandbox), 'installs.allowed', /^problem .* is a dangling link/);
  });

  test('a store whose directories are replaced', async () => {
    const { sandbox } = await open();
    mkdirSync(join(sandbox.store, 'v1'), { recursive: true });
    symlinkSync('/tmp', join(sandbox.store, 'v1', 'staging'));
    expectFinding(await diagnose(sandbox), 'store.write', /^problem .* is a symbolic link, which/);
  });

  test('a volume that this user cannot write', async () => {
    const { sandbox } = await open();
    chmodSync(join(sandbox.store, '..'), 0o555);
    const diagnosis = await diagnose(sandbox, asPlainUser);
    expectFinding(
      diagnosis,
      'store.owner',
      /^ok \S+ belongs to uid \d+, mode 555; this process is uid \d+$/,
    );
    expectFinding(
      diagnosis,
      'store.write',
      /^problem \S+ cannot be used: permission is denied \(EACCES .* Now: (.* as root: install|make it)/,
    );
    expect(diagnosis.of('features.import')).toEqual([
      'warning kit, native: denied, for the reason above',
    ]);
  });

  test('a store that everybody can write', async () => {
    const { sandbox } = await open();
    mkdirSync(sandbox.store);
    giveTo(asPlainUser, sandbox.store);
    chmodSync(sandbox.store, 0o777);
    const diagnosis = await diagnose(sandbox, asPlainUser);
    expectFinding(
      diagnosis,
      'store.write',
      /^problem \S+ is writable by everybody\. Now: run the process as/,
    );
  });

  test('another process that installs a feature', async () => {
    const { sandbox } = await open();
    const owner = makeOwner({ host: 'web-1' });
    const held = join(sandbox.store, 'v1', 'locks', 'kit.lock');
    mkdirSync(held, { recursive: true });
    writeFileSync(join(held, owner), '');
    const diagnosis = await diagnose(sandbox);
    expectFinding(diagnosis, 'store.installs', /^ok .*web-1.* installs kit: imports of it wait$/);
    expect(existsSync(join(held, owner))).toBe(true);
  });

  test('a store that does not exist, where layers have every feature and installs are denied', async () => {
    const { sandbox } = await open();
    const layer = join(sandbox.root, 'layer');
    expect(await sandbox.annex(['bake', layer])).toMatchObject({ code: 0 });
    const absent = join(sandbox.root, 'absent/annex');
    const env = { ANNEX_STORE: [absent, layer].join(delimiter), ANNEX_ALLOW_INSTALLS: '0' };
    const diagnosis = await diagnose(sandbox, { env });
    expectFinding(diagnosis, 'store.write', /^ok \S+ does not exist, and no install needs it$/);
    expect(diagnosis.of('store.volume')).toEqual([]);
  });

  test('a layer without entries, as where its volume is not mounted', async () => {
    const { sandbox } = await open();
    const layer = join(sandbox.root, 'layer');
    mkdirSync(layer);
    const env = { ANNEX_STORE: [sandbox.store, layer].join(delimiter) };
    const diagnosis = await diagnose(sandbox, { env });
    expectFinding(
      diagnosis,
      'store.layer',
      /^warning the layer \S+layer has no directory v1\. Now: mount it, fill it with annex bake, or correct ANNEX_STORE$/,
    );
    const off = await diagnose(sandbox, { env: { ...env, ANNEX_ALLOW_INSTALLS: '0' } });
    expectFinding(off, 'store.layer', /^problem the layer \S+layer has no directory v1/);
  });

  test('layers that do not exist, and one that is not trusted', async () => {
    const { sandbox } = await open();
    const layer = join(sandbox.root, 'layer');
    mkdirSync(layer);
    giveTo(asPlainUser, layer);
    chmodSync(layer, 0o777);
    const env = { ANNEX_STORE: [sandbox.store, layer, `${layer}-absent`].join(delimiter) };
    expect((await diagnose(sandbox, { env, ...asPlainUser })).of('store.layer')).toEqual([
      expect.stringMatching(/^problem \S+layer is writable by everybody/),
      expect.stringMatching(/^warning the layer \S+-absent does not exist/),
    ]);
  });

  test('an entry that was changed', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    const { stdout } = await sandbox.annex(['install', 'kit', '--json'], { env });
    const [{ dir }] = JSON.parse(stdout).results as [{ dir: string }];
    const before = await diagnose(sandbox);
    expect(before.of('features.import')[0]).toBe('ok kit: store, kit 1.0.0');
    chmodSync(join(dir, 'annex-entry.json'), 0o644);
    writeFileSync(join(dir, 'annex-entry.json'), '{}');
    const after = await diagnose(sandbox);
    expect(after.of('features.import')[0]).toMatch(
      /^warning kit: \S+ is damaged: .*; the first import replaces it\. Now: npx annex verify kit --repair$/,
    );
    const closed = await diagnose(sandbox, { env: { ANNEX_ALLOW_INSTALLS: '0' } });
    expect(closed.of('features.import')[0]).toMatch(
      /^problem kit: .* is damaged: .*; it is not replaced: .* Now: unset ANNEX_ALLOW_INSTALLS$/,
    );
    expect(await sandbox.annex(['verify', '--repair'], { env })).toMatchObject({ code: 0 });
    const healed = await diagnose(sandbox);
    expect(healed.of('features.import')[0]).toBe('ok kit: store, kit 1.0.0');
    expectFinding(healed, 'store.retired', /^ok 1 retired entry: .* an install can restore /);
  });
});

test('a damaged entry and a registry that does not answer: list and doctor name both', async () => {
  const { sandbox } = await open();
  const env = { ANNEX_STORE: sandbox.store, npm_config_cache: join(sandbox.root, 'empty') };
  const { stdout } = await sandbox.annex(['install', 'kit', '--json'], { env });
  const [{ dir }] = JSON.parse(stdout).results as [{ dir: string }];
  chmodSync(join(dir, 'annex-entry.json'), 0o644);
  writeFileSync(join(dir, 'annex-entry.json'), '{}');
  const offline = {
    ...env,
    npm_config_registry: 'http://127.0.0.1:9/',
    npm_config_cache: join(sandbox.root, 'other'),
  };
  expect(await sandbox.annex(['install', 'kit'], { env: offline })).toMatchObject({ code: 1 });
  const both =
    /failed before: "\S+ is damaged: .*; it is not replaced: registry 127\.0\.0\.1:9 cannot be reached/;
  const diagnosis = await diagnose(sandbox, { env: offline });
  expect(diagnosis.of('features.import')[0]).toMatch(both);
  const listed = await sandbox.annex(['list', '--json'], { env: offline });
  expect(JSON.parse(listed.stdout).features[0].refusal).toMatchObject({
    code: 'ANNEX_INTEGRITY',
    reason: expect.stringMatching(both),
    hint: expect.stringMatching(
      /^check the network and the proxy, .*, then npx annex install kit$/,
    ),
  });
});

describe.runIf(isRoot)(`${node.label}, as root`, () => {
  test("does not use the store of the application's user", async () => {
    const { sandbox } = await open();
    mkdirSync(sandbox.store);
    chownSync(sandbox.store, PLAIN_USER.uid, PLAIN_USER.gid);
    expectFinding(
      await diagnose(sandbox),
      'store.write',
      /^problem \S+ belongs to uid 4711, and this process is root\. Now: .* docker exec --user 4711$/,
    );
  });

  test('another user does not use it either', async () => {
    const { sandbox } = await open();
    mkdirSync(sandbox.store);
    chownSync(sandbox.store, 4712, 4712);
    const diagnosis = await diagnose(sandbox, PLAIN_USER);
    expectFinding(
      diagnosis,
      'store.write',
      /^problem \S+ belongs to uid 4712\. Now: run the process as/,
    );
  });

  test('a sealed application that its own user can write', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_SEALED: '1' };
    const sealed = await diagnose(sandbox, { env, ...PLAIN_USER });
    expectFinding(sealed, 'application.seal', /^ok /);
    giveTo(PLAIN_USER, sandbox.core);
    const broken = await diagnose(sandbox, { env, ...PLAIN_USER });
    expectFinding(broken, 'application.seal', /^warning sealed, and uid 4711 can write/);
  });
});

/** Mounts a small file system in memory over the volume of a store. */
function mountVolume(sandbox: Sandbox, options: string): void {
  const volume = join(sandbox.store, '..');
  mount('-t', 'tmpfs', '-o', `mode=755,${options}`, 'tmpfs', volume);
  onTestFinished(() => void unmount(volume));
}

describe.runIf(canMount())(`${node.label}, on a volume`, () => {
  test('that is mounted read-only', async () => {
    const { sandbox } = await open();
    mountVolume(sandbox, 'ro');
    expectFinding(
      await diagnose(sandbox),
      'store.write',
      /^problem \S+ cannot be used: its volume is mounted read-only .* Now: mount a writable volume there/,
    );
  });

  test('that is read-only, where every feature is installed: nothing has to be written', async () => {
    const { sandbox } = await open();
    mountVolume(sandbox, 'size=10m');
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.annex(['install', '--all'], { env })).toMatchObject({ code: 0 });
    mount('-o', 'remount,ro', join(sandbox.store, '..'));
    const diagnosis = await diagnose(sandbox);
    expect(diagnosis.code).toBe(0);
    expectFinding(
      diagnosis,
      'store.write',
      /^warning .* read-only .* Now: if it is a layer, name a store before it: ANNEX_STORE=STORE:\S+; otherwise/,
    );
    expectFinding(diagnosis, 'store.volume', /^ok \S+ is on tmpfs/);
    const off = await diagnose(sandbox, { env: { ANNEX_ALLOW_INSTALLS: '0' } });
    expectFinding(off, 'store.write', /^ok \S+ cannot be written, and no install needs it$/);
  });

  test('that is in memory, or mounted noexec', async () => {
    const { sandbox } = await open();
    mountVolume(sandbox, 'size=10m,noexec');
    const diagnosis = await diagnose(sandbox);
    expectFinding(diagnosis, 'store.volume', /^warning \S+ is in memory, and is lost .*\(tmpfs at/);
    expectFinding(
      diagnosis,
      'store.noexec',
      /^problem \S+ is mounted noexec: .* of native does not/,
    );
  });

  test.each([
    [
      'full',
      'size=32k',
      'store.write',
      /^problem .* no space is left on its volume .* Now: enlarge that volume$/,
    ],
    [
      'small',
      'size=144k',
      'store.space',
      /^warning 0\.1 MB free, and what .* about 0\.3 MB\. Now: enlarge that volume$/,
    ],
    ['smaller', 'size=40k', 'store.space', /^problem 0\.0 MB free, and what/],
  ])('that is %s', async (_, options, id, text) => {
    const { sandbox } = await open();
    mountVolume(sandbox, options);
    mkdirSync(sandbox.store);
    expectFinding(await diagnose(sandbox), id, text);
  });

  test('that is full, where annex prune removes an entry', async () => {
    const { sandbox } = await open();
    mountVolume(sandbox, 'size=160k');
    const stray = sandbox.plantEntry({
      feature: 'stray',
      packages: [kit],
      specs: { kit: '^1.0.0' },
    });
    const then = new Date(Date.now() - 60 * 24 * 60 * 60_000);
    utimesSync(join(stray, 'annex-entry.json'), then, then);
    expectFinding(
      await diagnose(sandbox),
      'store.space',
      /^problem .* Now: npx annex prune, which removes 1 entry \(0\.1 MB\) a day later, or enlarge that volume$/,
    );
  });

  test('that can hold no more files', async () => {
    const { sandbox } = await open();
    mountVolume(sandbox, 'size=1m,nr_inodes=2');
    mkdirSync(sandbox.store);
    const diagnosis = await diagnose(sandbox);
    expectFinding(diagnosis, 'store.space', /^problem its volume can hold no more files/);
    expectFinding(diagnosis, 'store.write', /^problem .* no space is left/);
  });
});
