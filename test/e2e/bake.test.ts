/** annex bake: a directory of entries that an image or a volume brings along, and what runs from it without a network. */
import { execFileSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, type Imports, importIn, writeImporter } from '../support/importer.ts';
import { copyLocks, listEntries, lock, readLock } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '../support/sandbox.ts';
import { asPlainUser, isRoot } from '../support/user.ts';

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', alpha: '^1.0.0' }),
  esmPackage('common', '1.2.0', 'common'),
  esmPackage('alpha', '1.0.0', 'alpha'),
  esmPackage('other', '3.0.0', 'other'),
];
const later = [esmPackage('alpha', '1.1.0', 'later'), esmPackage('other', '3.1.0', 'later')];
const features = { kit: '^1.0.0', other: '^3.0.0' };

/** A namespace of its own needs root, and in a container a right that is seldom given. */
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
describe(node?.label ?? '', () => {
  let locked: Sandbox;
  let registry: Registry;
  let sandbox: Sandbox;
  let layer: string;

  const open = async (options: SandboxOptions) => {
    registry = await startRegistry(packages);
    sandbox = await createSandbox({ registry, ...options });
    layer = join(sandbox.root, 'image', 'layer');
    declare(features);
    sandbox.addPackage(join(sandbox.core, 'node_modules'), esmPackage('common', '1.2.0', 'core'));
    writeImporter(sandbox);
  };
  const declare = (declared: object, rest: object = {}) =>
    sandbox.setCore({ features: declared, ...rest }, { dependencies: { common: '*' } });
  beforeAll(async () => {
    await open({ copyAnnex: true });
    locked = sandbox;
    await lock(locked);
    await registry.stop();
  });
  afterAll(() => locked.cleanup());
  beforeEach(async () => {
    await open({ linkAnnex: false });
    // One copy for all of them: not everybody may be able to read this repository.
    const annex = join('node_modules', 'annex');
    symlinkSync(join(locked.core, annex), join(sandbox.core, annex));
    const opened = { registry, sandbox };
    onTestFinished(() => opened.registry.stop());
    onTestFinished(() => opened.sandbox.cleanup());
    await registry.add(...later);
  });

  /** To a disk that need not outlive a loss of power. */
  const bake = (...args: string[]) => {
    const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
    return sandbox.annex(['bake', layer, ...args], { env: { ANNEX_CONFIG } });
  };
  /** With the locks of before the later versions. */
  const bakeLocked = async () => {
    copyLocks(locked, sandbox);
    expect(await bake()).toMatchObject({ code: 0 });
  };
  /** Runs the program as its user does, behind other commands if that is wanted. */
  const load = async (names: string[], env: Record<string, string>, before: string[] = []) => {
    const user = before.length === 0 ? asPlainUser : {};
    const [command = '', ...args] = [...before, process.execPath, '--import', sandbox.loader];
    const options = { env, ...user };
    const ended = await sandbox.exec(command, [...args, 'main.mjs', ...names], options);
    expect(ended.code, ended.stderr).toBe(0);
    return { ...ended, imported: JSON.parse(ended.stdout) as Imports['imported'] };
  };
  const expectBaked = ({ imported, stderr }: Pick<Imports, 'imported' | 'stderr'>) => {
    expect(imported).toMatchObject({
      kit: { version: '1.0.0', marker: 'kit' },
      other: { version: '3.0.0', marker: 'other' },
    });
    expect(stderr).toBe('');
  };

  describe('annex bake', () => {
    test('the directory holds the locked entries and nothing else, for everybody to read', async () => {
      copyLocks(locked, sandbox);
      const core = sandbox.digest(sandbox.core);
      const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
      const command = ['umask 077; exec "$@"', 'sh', process.execPath, cli];
      const ran = await sandbox.exec('sh', ['-c', ...command, 'bake', '../image/layer', '--json']);
      expect(ran.code, ran.stderr).toBe(0);
      const results = JSON.parse(ran.stdout) as { feature: string; dir: string }[];
      const entries = listEntries({ store: layer });
      expect(results.map(({ dir }) => dir)).toEqual(entries);
      const ids = ['kit', 'other'].map((slug) => readLock(sandbox, slug).sidecar.ids.any);
      expect(entries.map((dir) => basename(dir))).toEqual([`kit.${ids[0]}.0`, `other.${ids[1]}.0`]);
      expect(readdirSync(layer)).toEqual(['v1']);
      expect(readdirSync(join(layer, 'v1'))).toEqual(['any']);
      const installed = entries.flatMap((dir) => readdirSync(join(dir, 'node_modules')));
      expect(installed).toEqual(['alpha', 'kit', 'other']);
      for (const path of readdirSync(join(sandbox.root, 'image'), { recursive: true })) {
        const { mode, uid } = lstatSync(join(sandbox.root, 'image', String(path)));
        expect({ path, mode: mode & 0o044, uid }).toEqual({
          path,
          mode: 0o044,
          uid: process.getuid?.(),
        });
      }
      expect(sandbox.digest(sandbox.core)).toEqual(core);
      await registry.stop();
      expectBaked(await load(['kit', 'other'], { ANNEX_STORE: layer, ANNEX_SEALED: '1' }));
    });

    test('without a lock it is what the registry has, and a second bake changes nothing', async () => {
      expect((await bake()).code).toBe(0);
      const { imported } = await load(['other'], { ANNEX_STORE: layer });
      expect(imported.other?.version).toBe('3.1.0');
      const before = sandbox.digest(layer);
      await registry.stop();
      expect((await bake()).code).toBe(0);
      expect(sandbox.digest(layer)).toEqual(before);
    });

    test('one feature, by the name of its package', async () => {
      copyLocks(locked, sandbox);
      const { code, stdout } = await bake('other');
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: `other: ${listEntries({ store: layer })[0]}\n`,
      });
      expect(listEntries({ store: layer })).toHaveLength(1);
      const nothing = await bake('unheard-of');
      expect(nothing).toMatchObject({ code: 1, stdout: '' });
      expect(nothing.stderr).toMatch(/unheard-of unavailable \(ANNEX_INVALID_CONFIG\)/);
    });

    test('one that fails stops no other, is not remembered, and it is 1', async () => {
      copyLocks(locked, sandbox);
      declare({ 'not-there': '^1.0.0', bad: 'latest', ...features });
      const { code, stdout, stderr } = await bake('--json');
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject([
        { feature: 'not-there', outcome: 'failed' },
        { feature: 'bad', outcome: 'failed' },
        { feature: 'kit', outcome: 'installed' },
        { feature: 'other', outcome: 'installed' },
      ]);
      expect(stderr).toMatch(/^annex: not-there unavailable \(ANNEX_INSTALL_FAILED\)/m);
      expect(readdirSync(join(layer, 'v1'))).toEqual(['any']);
      expect(await bake('not-there')).toMatchObject({ code: 1, stdout: '' });
    });

    test('when nothing can be baked, nothing is left', async () => {
      declare({ 'not-there': '^1.0.0' });
      expect((await bake()).code).toBe(1);
      expect(readdirSync(layer)).toEqual([]);
    });

    test('what core ships is not baked', async () => {
      declare({ common: '^1.0.0' });
      expect(await bake()).toMatchObject({ code: 0, stdout: 'common: core ships it\n' });
    });

    test('a core that allows no installs is baked; who builds can still forbid it', async () => {
      copyLocks(locked, sandbox);
      declare(features, { allowInstalls: false });
      const file = sandbox.write('operator.json', { allowInstalls: false });
      for (const env of [{ ANNEX_ALLOW_INSTALLS: '0' }, { ANNEX_CONFIG: file }]) {
        const { code, stderr } = await sandbox.annex(['bake', layer], { env });
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^annex: kit unavailable \(ANNEX_DENIED\): installs are switched off/,
        );
        expect(listEntries({ store: layer })).toEqual([]);
      }
      expect((await bake()).code).toBe(0);
      expectBaked(await load(['kit', 'other'], { ANNEX_STORE: layer }));
    });

    test.each([
      ['inside the core', 'app/layer', /app\/layer lies inside the core \S+\/app /],
      ['above the core', '', /lies above the core \S+\/app /],
      ['a file', 'file', /file is a file /],
    ])('a directory that is %s is refused in one line', async (_, path, reason) => {
      sandbox.write('file', '');
      const before = sandbox.digest('app');
      // Another switch that is off must not keep it from being said.
      const env = { ANNEX_ALLOW_INSTALLS: '0' };
      const args = ['bake', join(sandbox.root, path)];
      const { code, stdout, stderr } = await sandbox.annex(args, { env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^annex: .* Now: annex bake DIRECTORY, with one outside the core\n$/);
      expect(stderr).toMatch(reason);
      expect(sandbox.digest('app')).toEqual(before);
    });

    test('without a directory it is called wrongly', async () => {
      expect((await sandbox.annex(['bake'])).code).toBe(2);
      expect((await sandbox.annex(['bake', ''])).code).toBe(2);
    });

    test('npm’s cache is enough', async () => {
      copyLocks(locked, sandbox);
      for (const slug of ['kit', 'other']) {
        const cwd = join(sandbox.root, slug);
        cpSync(join(sandbox.core, 'annex', slug), cwd, { recursive: true });
        const args = ['ci', '--ignore-scripts', '--no-audit'];
        expect(await sandbox.exec('npm', args, { cwd })).toMatchObject({ code: 0 });
      }
      await registry.stop();
      sandbox.write('app/.npmrc', 'offline=true\n');
      const { code, stderr } = await bake();
      expect(code, stderr).toBe(0);
      expectBaked(await load(['kit', 'other'], { ANNEX_STORE: layer }));
    });
  });

  describe('what is baked', () => {
    test('is a layer behind a store that need not be there', async () => {
      await bakeLocked();
      await registry.stop();
      const env = { ANNEX_STORE: [sandbox.store, layer].join(delimiter) };
      const before = sandbox.digest(sandbox.root);
      expectBaked(await load(['kit', 'other'], env));
      const listed = await sandbox.annex(['list', '--json'], { env });
      expect(JSON.parse(listed.stdout)).toMatchObject([{ where: 'layer' }, { where: 'layer' }]);
      expect(sandbox.digest(sandbox.root)).toMatchObject(before);
      expect(readdirSync(join(sandbox.store, '..'))).toEqual([]);
    });

    test('is a store that more is installed into', async () => {
      await bakeLocked();
      declare({ ...features, alpha: '^1.0.0' });
      const env = { ANNEX_STORE: layer };
      const { imported } = await importIn(sandbox, ['kit', 'other', 'alpha'], { env });
      expectBaked({ imported, stderr: '' });
      expect(imported.alpha).toMatchObject({ version: '1.1.0' });
      expect(listEntries({ store: layer })).toHaveLength(3);
    });

    test.skipIf(!canMount)('is the one store of an image, mounted read-only', async () => {
      await bakeLocked();
      declare({ ...features, alpha: '^1.0.0' });
      const mounted = join(sandbox.root, 'mounted');
      mkdirSync(mounted);
      const script = 'mount --bind -o ro "$0" "$1" && shift && exec "$@"';
      const before = ['unshare', '-m', 'sh', '-c', script, layer, mounted];
      const env = { ANNEX_STORE: mounted, ANNEX_SEALED: '1' };
      const refused = await load(['alpha', 'kit', 'other'], env, before);
      expectBaked({ ...refused, stderr: '' });
      expectRefused(refused.imported.alpha, 'ANNEX_STORE_UNUSABLE', /read-only|EROFS/, 'alpha');
      const denied = await load(
        ['alpha', 'kit', 'other'],
        { ...env, ANNEX_ALLOW_INSTALLS: '0' },
        before,
      );
      expectBaked(denied);
      expectRefused(denied.imported.alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'alpha');
    });

    test.skipIf(!canUnplug)(
      'runs with no network at all; what is not baked says why not',
      async () => {
        copyLocks(locked, sandbox);
        expect((await bake('kit')).code).toBe(0);
        declare({ ...features, alpha: '^1.0.0' });
        const env = { ANNEX_STORE: [sandbox.store, layer].join(delimiter) };
        const { imported } = await load(['kit', 'other', 'alpha'], env, ['unshare', '-n']);
        expect(imported.kit).toMatchObject({ version: '1.0.0', marker: 'kit' });
        // One is locked and one is for npm to resolve.
        expectRefused(imported.other, 'ANNEX_OFFLINE', /127\.0\.0\.1/, 'other');
        expectRefused(imported.alpha, 'ANNEX_OFFLINE', /127\.0\.0\.1/, 'alpha');
      },
    );

    test('is of use to a core whose lock is the same, and to no other', async () => {
      await bakeLocked();
      const dir = join(sandbox.core, 'annex', 'other', 'annex.json');
      const text = readFileSync(dir, 'utf8').replace(/"any": "..../, '"any": "0000');
      sandbox.write(dir, text);
      const env = { ANNEX_STORE: layer, ANNEX_ALLOW_INSTALLS: '0' };
      const { imported } = await load(['kit', 'other'], env);
      expect(imported.kit?.marker).toBe('kit');
      expectRefused(imported.other, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/, 'other');
    });
  });
});
