/** `annex install` and `annex uninstall` change only the given features. */
import { chownSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openCli } from '../support/cli.ts';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const isRoot = process.getuid?.() === 0;
const uid = 1234;
let registry: Registry;

beforeAll(async () => {
  registry = await startRegistry([
    esmPackage('alpha', '1.2.0', 'registry'),
    cjsPackage('beta', '1.0.0', 'registry'),
  ]);
});

describe.each(outerNodes)('$label', (node) => {
  test('install takes several features, by feature or package name, each once', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    sandbox.setCore({
      features: { alpha: '^1.0.0', 'db.beta': { packages: { beta: '^1.0.0' } } },
    });
    const core = sandbox.digest(sandbox.core);
    const { code, stdout, stderr } = await annex(['install', 'beta', 'alpha', 'db.beta']);
    expect(code).toBe(0);
    const [first, second, ...rest] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^db\.beta: beta 1\.0\.0 \(.*\/v1\/any\/db\.beta\.[0-9a-f]{32}\.0\)$/);
    expect(second).toMatch(/^alpha: alpha 1\.2\.0 \(.*\/v1\/any\/alpha\.[0-9a-f]{32}\.0\)$/);
    expect(rest).toEqual([]);
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 17)),
    ).toEqual(['annex: installing', 'annex: installed ', 'annex: installing', 'annex: installed ']);
    expect(sandbox.digest(sandbox.core), 'G2: the core is as it was').toEqual(core);

    const asked = registry.requests.length;
    const store = sandbox.digest(sandbox.store);
    const again = await annex(['install', '--all', '--json']);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(again.stdout).results).toMatchObject([
      { feature: 'alpha', outcome: 'present', versions: { alpha: '1.2.0' } },
      { feature: 'db.beta', outcome: 'present', versions: { beta: '1.0.0' } },
    ]);
    expect(registry.requests, 'G7: no network').toHaveLength(asked);
    expect(sandbox.digest(sandbox.store), 'G7: no writes').toEqual(store);
  });

  test('a package of the core is not installed: in its range it is present, outside it is a conflict', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    const dependencies = { alpha: '*', beta: '*' };
    sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^2.0.0' } }, { dependencies });
    for (const name of ['alpha', 'beta']) {
      sandbox.addPackage('app/node_modules', esmPackage(name, '1.0.0', 'core'));
    }
    const { code, stdout, stderr } = await annex(['install', '--all', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).results).toMatchObject([
      { feature: 'alpha', outcome: 'core', versions: { alpha: '1.0.0' } },
      { feature: 'beta', outcome: 'failed', refusal: { code: 'ANNEX_CONFLICT' } },
    ]);
    expect(stderr).toMatch(
      /^annex: beta unavailable \(ANNEX_CONFLICT\): core ships beta 1\.0\.0 .*\. Now: .*\n$/,
    );
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('one failure does not prevent the other installs, and a command may retry at once', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    const name = `late-${node.major}-${node.minor}`;
    sandbox.setCore({ features: { [name]: '^1.0.0', alpha: '^1.0.0' } });
    const both = await annex(['install', '--all', '--json']);
    expect(both.code).toBe(1);
    expect(JSON.parse(both.stdout).results).toMatchObject([
      { feature: name, outcome: 'failed', refusal: { code: 'ANNEX_INSTALL_FAILED' } },
      { feature: 'alpha', outcome: 'installed' },
    ]);
    const failures = join(sandbox.store, 'v1', 'failures');
    expect(readdirSync(failures)).toEqual([`${name}.json`]);
    await registry.add(esmPackage(name, '1.0.0', 'registry'));
    expect((await annex(['install', name])).code).toBe(0);
    expect(readdirSync(failures)).toEqual([]);
  });

  test('with an undeclared name nothing is installed, nor are the other names', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    for (const command of ['install', 'uninstall']) {
      const { code, stdout, stderr } = await annex([command, 'beta']);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^annex: beta unavailable \(ANNEX_INVALID_CONFIG\): it is not declared in .* Declared: alpha\. Now: .*\n$/,
      );
    }
    expect((await annex(['install', 'alpha', 'beta'])).code).toBe(1);
    expect(existsSync(sandbox.store), 'G3: declared only').toBe(false);
  });

  test('the kill switch applies to the command line too', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const { code, stderr } = await annex(['install', 'alpha'], {
      env: { ANNEX_ALLOW_INSTALLS: 'off' },
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^annex: alpha unavailable \(ANNEX_DENIED\): .*ANNEX_ALLOW_INSTALLS.*\n$/,
    );
    expect(existsSync(sandbox.store)).toBe(false);
  });

  test('G2: uninstall takes one feature from the store, of every ABI; layers and others stay', async () => {
    const { sandbox, layer, annex, plant } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
    const gone = [
      plant('alpha', '1.0.0'),
      plant('alpha', '1.0.0', { generation: '1' }),
      plant('alpha', '1.0.0', { abi: 'node999-linux-x64-glibc' }),
    ];
    const kept = plant('beta', '1.0.0');
    const baked = plant('alpha', '1.0.0', { store: layer });
    const before = [sandbox.digest(kept), sandbox.digest(layer), sandbox.digest(sandbox.core)];
    const { code, stdout, stderr } = await annex(['uninstall', 'alpha', '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { feature, removed } = JSON.parse(stdout);
    expect(feature).toBe('alpha');
    expect(removed.sort()).toEqual(gone.sort());
    expect(gone.filter((dir) => existsSync(dir))).toEqual([]);
    expect(readdirSync(join(sandbox.store, 'v1', 'retired'))).toEqual([]);
    expect([sandbox.digest(kept), sandbox.digest(layer), sandbox.digest(sandbox.core)]).toEqual(
      before,
    );
    const [alpha] = JSON.parse((await annex(['list', '--json'])).stdout).features;
    expect(alpha).toMatchObject({ where: 'layer', dir: baked });
    const again = await annex(['uninstall', 'alpha']);
    expect(again).toMatchObject({
      code: 0,
      stdout: `alpha is not in ${sandbox.store}\n`,
      stderr: '',
    });
  });

  test('uninstall removes undeclared features, and entries without a manifest', async () => {
    const { sandbox, annex, plant } = await openCli(node, { registry });
    const damaged = plant('alpha', '1.0.0');
    rmSync(join(damaged, 'annex-entry.json'));
    const kept = plant('beta', '1.0.0');
    sandbox.setCore({ features: { beta: '^1.0.0' } });
    const { code, stdout } = await annex(['uninstall', 'alpha']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `removed ${damaged}\n` });
    expect(existsSync(kept)).toBe(true);
  });

  test('uninstall keeps other formats, other files, and retired entries of similar names', async () => {
    const { sandbox, annex, plant } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0', 'any.alpha': { packages: { beta: '*' } } } });
    const newer = plant('alpha', '2.0.0', { manifest: { format: 3 } });
    const backup = join(sandbox.store, 'v1', 'backup', basename(plant('alpha', '1.0.0')));
    sandbox.write(join(backup, 'annex-entry.json'), '{}');
    const mark = join(sandbox.store, 'v1', 'retired', `any.${basename(newer)}`);
    sandbox.write(mark, 'for a test');
    const before = sandbox.digest(newer);
    const { code, stdout } = await annex(['uninstall', 'alpha']);
    expect({ code, lines: stdout.split('\n').length }).toEqual({ code: 0, lines: 2 });
    expect(sandbox.digest(newer)).toEqual(before);
    expect(existsSync(backup)).toBe(true);
    expect((await annex(['uninstall', 'any.alpha'])).stdout).toMatch(/^any\.alpha is not in /);
    expect(existsSync(mark)).toBe(true);
  });

  test('uninstall without a store reports that', async () => {
    const { sandbox, annex } = await openCli(node, { registry });
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    const env = { ANNEX_STORE: undefined, ANNEX_SEALED: '1' };
    const { code, stderr } = await annex(['uninstall', 'alpha'], { env });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^annex: nothing was removed: there is no store \(ANNEX_STORE_UNUSABLE\)/,
    );
  });

  test.runIf(isRoot)(
    'its owner removes a read-only entry; root does not touch the store of another user',
    async () => {
      const { sandbox, annex } = await openCli(node, { registry });
      sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
      chownSync(dirname(sandbox.store), uid, uid);
      expect((await annex(['install', 'alpha'], { uid })).code).toBe(0);
      const before = sandbox.digest(sandbox.store);
      expect(Object.values(before).some((what) => what === 'directory 0555')).toBe(true);
      for (const args of [
        ['uninstall', 'alpha'],
        ['install', 'beta'],
      ]) {
        const { code, stderr } = await annex(args);
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^(?=.*\(ANNEX_STORE_UNUSABLE\)).* belongs to uid 1234, and this process is root/,
        );
      }
      expect(sandbox.digest(sandbox.store)).toEqual(before);
      const { code, stdout } = await annex(['uninstall', 'alpha'], { uid });
      expect({ code, lines: stdout.split('\n').length }).toEqual({ code: 0, lines: 2 });
      expect(readdirSync(join(sandbox.store, 'v1', 'any'))).toEqual([]);
      expect(readdirSync(join(sandbox.store, 'v1', 'retired'))).toEqual([]);
    },
  );
});
