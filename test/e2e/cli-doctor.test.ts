/** `annex doctor`: its report, and that it works where everything else is broken. */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnose, expectFinding } from '../support/doctor.ts';
import { esmPackage } from '../support/fixtures.ts';
import { listEntries, lockBefore, node } from '../support/lock-files.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo } from '../support/user.ts';

const packages = [esmPackage('kit', '1.0.0', 'kit'), esmPackage('pad', '1.0.0', 'pad')];
const features = { kit: '^1.0.0', pad: '^1.0.0' };
const dependencies = { annex: '*' };

const open = lockBefore({
  packages,
  annex: { features },
  copyAnnex: true,
  prepare: (sandbox) => sandbox.setCore({ features }, { dependencies }),
});

/** Everything a program could write to. */
const digestAll = ({ digest, core, root, home }: Sandbox) =>
  [core, join(root, 'volume'), home].map((directory) => digest(directory));

describe.concurrent(node.label, () => {
  test('a sound application has no problem, and nothing is written, installed or requested', async () => {
    const { sandbox, registry } = await open();
    const env = { NODE_OPTIONS: `--import=${sandbox.loader}` };
    const before = digestAll(sandbox);
    const diagnosis = await diagnose(sandbox, { env });
    expect(diagnosis.code).toBe(0);
    expect(digestAll(sandbox)).toEqual(before);
    expect(registry.requests).toEqual([]);
    expectFinding(diagnosis, 'application.root', /^ok \S+\/app, the working directory$/);
    expectFinding(diagnosis, 'application.features', /^ok declares 2 features$/);
    expectFinding(diagnosis, 'application.annex', /^ok ships annex \d/);
    expectFinding(diagnosis, 'node.version', /^ok Node \d/);
    expectFinding(diagnosis, 'loader.active', /^ok NODE_OPTIONS loads annex \d/);
    expectFinding(diagnosis, 'settings.valid', /^ok valid: features, store$/);
    expectFinding(diagnosis, 'installs.allowed', /^ok allowed, into \S+annex$/);
    expectFinding(diagnosis, 'store.write', /^ok \S+ is made by the first install$/);
    expectFinding(diagnosis, 'locks.fresh', /^ok 2 locks up to date, and for \S+$/);
    expect(diagnosis.of('features.import')).toEqual([
      'ok kit: not installed; the first import installs it',
      'ok pad: not installed; the first import installs it',
    ]);
  });

  test('an installed feature is reported with its version, and the probe file is removed', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.annex(['install', 'kit'], { env })).toMatchObject({ code: 0 });
    const before = digestAll(sandbox);
    const diagnosis = await diagnose(sandbox);
    expect(digestAll(sandbox)).toEqual(before);
    expectFinding(diagnosis, 'store.write', /^ok \S+ can be written$/);
    expect(diagnosis.of('features.import')[0]).toBe('ok kit: store, kit 1.0.0');
  });

  test('the text begins with the counts and with problems, and has remedies, in a pipe without colours', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_ALLOW_INSTALLS: '0' };
    const { code, stdout } = await sandbox.annex(['doctor'], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^1 problem, \d warnings?, \d+ ok\ninstalls\n {2}problem {2}installs are switched off by ANNEX_ALLOW_INSTALLS\n {11}Now: unset ANNEX_ALLOW_INSTALLS\n/,
    );
    expect(stdout).toMatch(/\nfeatures\n {2}warning {2}kit, pad: denied, for the reason above\n/);
    expect(stdout).not.toContain('\u001b');
    expect(await sandbox.annex(['doctor', 'kit'])).toMatchObject({ code: 2 });
  });

  test('an importer that is not installed is named, and one of a directory is not', async () => {
    const { sandbox } = await open();
    const importers = ['/nowhere/plugins', 'annex', 'tools'];
    sandbox.setCore({ features, importers }, { dependencies });
    const diagnosis = await diagnose(sandbox, { cwd: 'app/node_modules' });
    expectFinding(
      diagnosis,
      'application.root',
      /^ok \S+\/app, found above the working directory$/,
    );
    expect(diagnosis.of('application.importers')).toEqual([
      'warning annex.importers lists tools, and no package of that name is installed. Now: correct the name in annex.importers, or remove it',
    ]);
  });

  test('without an application, the rest is still checked', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_SEAL: '1' };
    const diagnosis = await diagnose(sandbox, { cwd: 'home', env });
    expectFinding(diagnosis, 'application.root', /^problem no package\.json declares features/);
    expectFinding(diagnosis, 'node.version', /^ok/);
    expectFinding(diagnosis, 'loader.active', /^warning/);
    expectFinding(diagnosis, 'settings.invalid', /^warning ANNEX_SEAL is not known/);
  });

  test.each<[string, (sandbox: Sandbox) => void, RegExp]>([
    [
      'is not JSON',
      ({ write }) => void write('app/package.json', '{ "annex": '),
      /does not parse as JSON/,
    ],
    [
      'is a directory',
      ({ core }) => {
        rmSync(join(core, 'package.json'));
        mkdirSync(join(core, 'package.json'));
      },
      /cannot be read: EISDIR/,
    ],
    [
      'is a dangling link',
      ({ core, root }) => {
        rmSync(join(core, 'package.json'));
        symlinkSync(join(root, 'absent'), join(core, 'package.json'));
      },
      /package\.json cannot be read: ENOENT/,
    ],
    [
      'has features of another type',
      ({ setCore }) => setCore({ features: [1] }),
      /annex\.features in \S+ is \[1\], not an object/,
    ],
    [
      'has an annex key of another type',
      ({ setCore }) => setCore([]),
      /annex in \S+ is not an object but a list/,
    ],
  ])('a package.json that %s', async (_, breakIt, reason) => {
    const { sandbox } = await open();
    breakIt(sandbox);
    const { code, findings } = await diagnose(sandbox);
    expect(code).toBe(1);
    expect(findings.filter(({ level }) => level === 'problem')).toEqual(
      expect.arrayContaining([expect.objectContaining({ text: expect.stringMatching(reason) })]),
    );
    expect(findings.filter(({ id }) => id.endsWith('.check'))).toEqual([]);
  });

  test('a package.json that this user cannot read', async () => {
    const { sandbox } = await open();
    chmodSync(join(sandbox.core, 'package.json'), 0);
    giveTo({ uid: 4712, gid: 4712 }, join(sandbox.core, 'package.json'));
    const diagnosis = await diagnose(sandbox, { ...asPlainUser });
    expectFinding(diagnosis, 'application.root', /^problem .*package\.json cannot be read: EACCES/);
  });

  test('a store with nothing but damage', async () => {
    const { sandbox } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.annex(['install', '--all'], { env })).toMatchObject({ code: 0 });
    const [kit = '', pad = ''] = listEntries(sandbox);
    for (const dir of [kit, pad]) chmodSync(dir, 0o755);
    chmodSync(join(kit, 'annex-entry.json'), 0o644);
    writeFileSync(join(kit, 'annex-entry.json'), '{');
    chmodSync(join(pad, 'annex-files.txt'), 0o644);
    writeFileSync(join(pad, 'annex-files.txt'), '\0');
    rmSync(join(pad, 'node_modules'), { recursive: true });
    symlinkSync(join(sandbox.root, 'absent'), join(pad, 'node_modules'));
    for (const name of ['locks', 'failures', 'retired']) {
      const path = join(sandbox.store, 'v1', name);
      rmSync(path, { recursive: true, force: true });
      symlinkSync(join(sandbox.root, 'absent'), path);
    }
    const { findings } = await diagnose(sandbox);
    expect(findings.filter(({ id }) => id.endsWith('.check'))).toEqual([]);
    const texts = findings.filter(({ id }) => id === 'features.import').map(({ text }) => text);
    expect(texts).toEqual([
      expect.stringMatching(/^kit: .* is damaged: /),
      expect.stringMatching(/^pad: .* is damaged: /),
    ]);
  });

  test.each([
    [
      'allows no other process',
      '--experimental-permission --allow-fs-read=*',
      /^warning no program/,
    ],
    ['is frozen', '--frozen-intrinsics', /^warning NODE_OPTIONS does not load annex/],
  ])('a Node that %s', async (_, options, text) => {
    const { sandbox } = await open();
    // Later versions have another name for it.
    const isRenamed = options.includes('permission') && node.major >= 24;
    const NODE_OPTIONS = isRenamed ? options.replace('experimental-', '') : options;
    const env = { NODE_OPTIONS, NODE_NO_WARNINGS: '1' };
    expectFinding(await diagnose(sandbox, { env }), 'loader.active', text);
  });

  test('a deleted working directory', async () => {
    const { sandbox } = await open();
    const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
    const gone = join(sandbox.root, 'gone');
    mkdirSync(gone);
    const script = `cd '${gone}' && rmdir '${gone}' && exec "$0" '${cli}' doctor --json`;
    const { code, stdout } = await sandbox.exec('sh', ['-c', script, node.path]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/as seen from a deleted working directory/);
  });
});
