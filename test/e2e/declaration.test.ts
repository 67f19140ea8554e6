/** `annex add` and `annex remove` with locks: declaration and lock change together, or not at all. */
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { lock, node, readLock } from '../support/lock-files.ts';
import { repositoryRoot } from '../support/package.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { strace, straceProblem } from '../support/strace.ts';
import { asPlainUser, giveTo } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const packages = [
  esmPackage('alpha', '1.0.0', 'alpha'),
  esmPackage('alpha', '1.1.0', 'alpha'),
  esmPackage('beta', '1.0.0', 'beta'),
  dependentPackage('picky', '1.0.0', 'picky', { shipped: '^2.0.0' }),
  esmPackage('shipped', '2.0.0', 'shipped'),
];

/** A core of which every feature is locked, and that ships `shipped 1.0.0`. */
async function open(features: object = { alpha: '^1.0.0' }) {
  const world = { packages, node: node.path, annex: { features } };
  const { sandbox } = await openWorld(world);
  sandbox.setCore({ features }, { dependencies: { shipped: '*' } });
  sandbox.addPackage('app/node_modules', esmPackage('shipped', '1.0.0', 'core'));
  await lock(sandbox);
  return { sandbox, annex: sandbox.annex, before: sandbox.digest(sandbox.core) };
}

const declared = (sandbox: Sandbox) =>
  JSON.parse(readFileSync(join(sandbox.core, 'package.json'), 'utf8')).annex?.features;
const checks = async (sandbox: Sandbox) =>
  expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });

const REFUSED = /nothing was changed in \S+package\.json: \S+ cannot be locked/;

describe.concurrent(node.label, () => {
  for (const [what, args, reason] of [
    ['a package that no registry has', ['absent@^1.0.0'], /npm: E404/],
    ['two packages of which one is in no registry', ['beta@^1', 'absent@^1'], /npm: E404/],
    ['a range that no version is in', ['alpha@^9.0.0'], /ETARGET|No matching version/],
    ['what conflicts with core', ['picky@^1.0.0'], /ANNEX_CONFLICT/],
  ] as const) {
    test(`add of ${what} leaves package.json and all locks as they were`, async () => {
      const { sandbox, annex, before } = await open();
      const { code, stdout, stderr } = await annex(['add', ...args]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(reason);
      expect(stderr).toMatch(REFUSED);
      expect(sandbox.digest(sandbox.core)).toEqual(before);
    });
  }

  test('a feature whose range cannot be changed keeps the old one', async () => {
    const { sandbox, annex } = await open();
    expect((await annex(['add', 'alpha@^9.0.0'])).code).toBe(1);
    const env = { ANNEX_STORE: sandbox.store };
    const { imported } = await importIn(sandbox, ['alpha'], { env });
    expect(imported.alpha).toMatchObject({ marker: 'alpha' });
  });

  test('a package.json that cannot be replaced keeps its lock, too', async () => {
    const { sandbox } = await open();
    giveTo(asPlainUser, sandbox.core);
    const before = sandbox.digest(sandbox.core);
    chmodSync(sandbox.core, 0o555);
    const env = { HOME: '/nowhere' };
    const { code, stderr } = await sandbox.annex(['add', 'alpha@~1.0.0'], { ...asPlainUser, env });
    chmodSync(sandbox.core, 0o755);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^annex: \S+\/app\/package\.json cannot be written \(EACCES\) \(ANNEX_\w+\)\. Now: .*\n$/,
    );
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('remove reverts add: declaration and lock, byte for byte', async () => {
    const { sandbox, annex, before } = await open();
    expect((await annex(['add', 'beta@^1.0.0'])).code).toBe(0);
    const { code, stdout, stderr } = await annex(['remove', 'beta']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `removed beta from ${sandbox.core}/package.json\nremoved ${sandbox.core}/annex/beta\n` +
        'entries of beta in stores stay; npx annex uninstall beta removes them\n',
    );
    expect(sandbox.digest(sandbox.core)).toEqual(before);
    await checks(sandbox);
  });

  test('remove removes packages from a feature, and the feature with its last package', async () => {
    const { sandbox, annex, before } = await open();
    const feature = ['--feature', 'pair'];
    expect((await annex(['add', 'beta@^1.0.0', 'picky@^1.0.0', ...feature])).code).toBe(1);
    expect(sandbox.digest(sandbox.core)).toEqual(before);
    sandbox.addPackage('app/node_modules', esmPackage('shipped', '2.0.0', 'core'));
    expect((await annex(['add', 'beta@^1.0.0', 'picky@^1.0.0', ...feature])).code).toBe(0);
    const wrong = await annex(['remove', 'beta']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/beta is not a key .*Now: npx annex remove beta --feature pair/);
    expect((await annex(['remove', 'picky', ...feature])).code).toBe(0);
    expect(declared(sandbox)).toEqual({ alpha: '^1.0.0', pair: { packages: { beta: '^1.0.0' } } });
    expect(readLock(sandbox, 'pair').sidecar.specs).toEqual({ beta: '^1.0.0' });
    await checks(sandbox);
    expect((await annex(['remove', 'beta', ...feature])).code).toBe(0);
    expect(declared(sandbox)).toEqual({ alpha: '^1.0.0' });
    expect(readdirSync(join(sandbox.core, 'annex'))).toEqual(['alpha']);
  });

  test('remove of the last feature leaves no trace, and says how to empty the store', async () => {
    const { sandbox, annex } = await open();
    const env = { ANNEX_STORE: sandbox.store };
    expect((await annex(['install', 'alpha'], { env })).code).toBe(0);
    const { code, stdout } = await annex(['remove', 'alpha']);
    expect(code).toBe(0);
    const [, command = ''] = / in stores stay; (.*) removes them\n$/.exec(stdout) ?? [];
    expect(command).toBe(`ANNEX_CORE=${sandbox.core} npx annex uninstall alpha`);
    expect(declared(sandbox)).toBeUndefined();
    expect(existsSync(join(sandbox.core, 'annex'))).toBe(false);
    const named = { ...env, ANNEX_CORE: sandbox.core };
    const gone = await annex(['uninstall', 'alpha'], { env: named });
    expect(gone).toMatchObject({ code: 0, stdout: expect.stringMatching(/^removed /) });
  });

  test('remove refuses an undeclared feature and changes nothing', async () => {
    const { sandbox, annex, before } = await open();
    for (const [args, reason] of [
      [['beta'], /beta is not a key of annex\.features in \S+package\.json/],
      [['alpha', 'beta'], /beta is not a key of annex\.features/],
      [['beta', '--feature', 'alpha'], /annex\.features\["alpha"\] in .* does not list beta/],
      [
        ['alpha', '--feature', 'toString'],
        /annex\.features\["toString"\] in .* does not list alpha/,
      ],
    ] as const) {
      const { code, stdout, stderr } = await annex(['remove', ...args]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(reason);
      expect(stderr).toMatch(
        /^annex: nothing was changed: .*\(ANNEX_INVALID_CONFIG\)\. Now: npx annex .*\n$/,
      );
    }
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('remove removes an invalid feature', async () => {
    const { sandbox, annex } = await open();
    sandbox.setCore({ features: { alpha: '^1.0.0', wrong: 'latest' } });
    expect((await annex(['remove', 'wrong'])).code).toBe(0);
    expect(declared(sandbox)).toEqual({ alpha: '^1.0.0' });
  });

  test('lock removes the locks of undeclared features and keeps other files', async () => {
    const { sandbox, annex } = await open({ alpha: '^1.0.0', beta: '^1.0.0' });
    sandbox.write('app/annex/beta/notes.txt', 'mine');
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    expect((await annex(['lock', 'alpha'])).code).toBe(0);
    expect(readdirSync(join(sandbox.core, 'annex', 'beta'))).toHaveLength(4);
    const { code, stdout } = await annex(['lock', '--json']);
    expect(code).toBe(0);
    const dir = join(sandbox.core, 'annex', 'beta');
    expect(JSON.parse(stdout).results).toEqual([
      { feature: 'alpha', outcome: 'unchanged' },
      { feature: 'beta', outcome: 'removed', dir },
    ]);
    expect(readdirSync(dir)).toEqual(['notes.txt']);
    await checks(sandbox);
  });

  test('lock removes nothing while an invalid declaration may hide a feature', async () => {
    const { sandbox, annex } = await open({ alpha: '^1.0.0', beta: '^1.0.0' });
    sandbox.setCore({ feature: { beta: '^1.0.0' }, features: { alpha: '^1.0.0' } });
    expect((await annex(['lock'])).code).toBe(1);
    expect(readdirSync(join(sandbox.core, 'annex'))).toEqual(['alpha', 'beta']);
  });

  test('a package.json that changes meanwhile is not overwritten', async () => {
    const { sandbox } = await open();
    const change = `require('fs').appendFileSync(${JSON.stringify(join(sandbox.core, 'package.json'))}, '\\n')`;
    // While npm runs for the lock, another program saves the file.
    const npm = sandbox.write(
      'bin/npm',
      `#!/bin/sh\n"${node.path}" -e "${change.replaceAll('"', '\\"')}"\nexit 1\n`,
    );
    chmodSync(npm, 0o755);
    const text = readFileSync(join(sandbox.core, 'package.json'), 'utf8');
    const env = { PATH: `${join(sandbox.root, 'bin')}:${process.env.PATH}` };
    expect((await sandbox.annex(['add', 'beta@^1.0.0'], { env })).code).toBe(1);
    expect(readFileSync(join(sandbox.core, 'package.json'), 'utf8')).toBe(`${text}\n`);
  });
});

describe.runIf(straceProblem === undefined).concurrent('renames that fail', () => {
  const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');
  /** Runs a command, with a fault in place of the Nth rename of its main thread. */
  const inject = (sandbox: Sandbox, fault: string, when: number, args: string[]) => {
    const injected = ['-e', `inject=rename:${fault}:when=${when}`];
    const trace = ['-qq', '-o', '/dev/null', '-e', 'trace=rename', ...injected];
    return sandbox.exec(strace ?? '', [...trace, node.path, cli, ...args]);
  };
  /** Its renames that replace files of the application: three for a lock, and package.json last. */
  const findRenames = async (args: string[], lockText?: string) => {
    const { sandbox } = await open();
    if (lockText !== undefined) sandbox.write('app/annex/alpha/package-lock.json', lockText);
    const log = join(sandbox.root, 'renames');
    const trace = ['-qq', '-o', log, '-e', 'trace=rename', '-e', 'signal=none'];
    await sandbox.exec(strace ?? '', [...trace, node.path, cli, ...args]);
    const lines = readFileSync(log, 'utf8').split('\n');
    const found = lines.flatMap((line, index) =>
      line.includes(`, "${sandbox.core}/`) ? [index + 1] : [],
    );
    expect(found.length).toBeGreaterThanOrEqual(3);
    return found;
  };

  test('add: at each of them every file is unchanged', async () => {
    const { sandbox, before } = await open();
    const args = ['add', 'alpha@~1.0.0', 'beta@^1.0.0'];
    const renames = await findRenames(args);
    for (const error of ['EIO', 'ENOSPC']) {
      for (const when of renames) {
        const { code, stderr } = await inject(sandbox, `error=${error}`, when, args);
        expect({ when, code }).toEqual({ when, code: 1 });
        expect(stderr).toMatch(new RegExp(`cannot be written \\(${error}\\)`));
        expect(sandbox.digest(sandbox.core)).toEqual(before);
      }
    }
  });

  test('add, killed there: a new feature is not declared, and the next lock sweeps', async () => {
    const { sandbox, annex, before } = await open();
    for (const when of await findRenames(['add', 'beta@^1.0.0'])) {
      const killed = await inject(sandbox, 'signal=KILL', when, ['add', 'beta@^1.0.0']);
      expect(killed.signal ?? killed.code).not.toBe(0);
      const left = Object.keys(sandbox.digest(sandbox.core)).filter((path) => !(path in before));
      const debris = left.filter((path) => /\/?\.[a-z-]+\.json\./.test(path));
      expect(debris.length).toBeGreaterThan(0);
      const { code, stderr } = await annex(['lock', '--check']);
      expect(code).toBe(1);
      for (const path of debris) {
        expect(stderr).toContain(
          `${path} is left from an interrupted command. Now: npx annex lock\n`,
        );
      }
      expect((await annex(['lock'])).code).toBe(0);
      expect(sandbox.digest(sandbox.core)).toEqual(before);
    }
  });

  test('lock, killed there: the next one repairs and sweeps', async () => {
    const { sandbox, annex, before } = await open();
    const { texts } = readLock(sandbox, 'alpha');
    for (const when of await findRenames(['lock'], '{}')) {
      sandbox.write('app/annex/alpha/package-lock.json', '{}');
      const { code } = await inject(sandbox, 'signal=KILL', when, ['lock']);
      expect(code).not.toBe(0);
      expect((await annex(['lock', '--check'])).code).toBe(1);
      expect((await annex(['lock'])).code).toBe(0);
      expect(readLock(sandbox, 'alpha').texts).toEqual(texts);
      expect(Object.keys(sandbox.digest(sandbox.core))).toEqual(Object.keys(before));
      await checks(sandbox);
    }
  });
});
