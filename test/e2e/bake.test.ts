/** `annex bake`: fills a directory of entries for an image or a volume. */
import { cpSync, lstatSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { features, useBaking } from '../support/baking.ts';
import { copyLocks, listEntries, readLock } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { removeTree } from '../support/tree.ts';

const [node] = nodes;
describe(`annex bake, ${node?.label}`, () => {
  const at = useBaking();

  test('the directory holds only the locked entries, readable by all users', async () => {
    copyLocks(at.locked, at.sandbox);
    const core = at.sandbox.digest(at.sandbox.core);
    const cli = join(at.sandbox.core, 'node_modules/annex/dist/cli/main.js');
    const command = ['umask 077; exec "$@"', 'sh', process.execPath, cli];
    const ran = await at.sandbox.exec('sh', ['-c', ...command, 'bake', '../image/layer', '--json']);
    expect(ran.code, ran.stderr).toBe(0);
    const { results } = JSON.parse(ran.stdout) as { results: { feature: string; dir: string }[] };
    const entries = listEntries({ store: at.layer });
    expect(results.map(({ dir }) => dir)).toEqual(entries);
    const ids = ['kit', 'other'].map((slug) => readLock(at.sandbox, slug).sidecar.ids.any);
    expect(entries.map((dir) => basename(dir))).toEqual([`kit.${ids[0]}.0`, `other.${ids[1]}.0`]);
    expect(readdirSync(at.layer)).toEqual(['v1']);
    expect(readdirSync(join(at.layer, 'v1'))).toEqual(['any']);
    const installed = entries.flatMap((dir) => readdirSync(join(dir, 'node_modules')));
    // The application ships common: the entry links to it.
    expect(installed).toEqual(['alpha', 'common', 'kit', 'other']);
    for (const path of readdirSync(join(at.sandbox.root, 'image'), { recursive: true })) {
      const { mode, uid } = lstatSync(join(at.sandbox.root, 'image', String(path)));
      expect({ path, mode: mode & 0o044, uid }).toEqual({
        path,
        mode: 0o044,
        uid: process.getuid?.(),
      });
    }
    expect(at.sandbox.digest(at.sandbox.core)).toEqual(core);
    await at.registry.stop();
    at.expectBaked(await at.load(['kit', 'other'], { ANNEX_STORE: at.layer, ANNEX_SEALED: '1' }));
  });

  test('two bakes give equal directories, times included, and the commands show no age', async () => {
    await at.bakeLocked();
    const listed = await at.sandbox.exec('find', ['.', '-mindepth', '1', '-newermt', '@0'], {
      cwd: at.layer,
    });
    expect(listed).toMatchObject({ code: 0, stdout: '' });
    const first = at.sandbox.digest(at.layer);
    removeTree(at.layer);
    await at.bakeLocked();
    expect(at.sandbox.digest(at.layer)).toEqual(first);
    const env = { ANNEX_STORE: at.layer };
    for (const command of [['list'], ['store', 'ls']]) {
      const { code, stdout } = await at.sandbox.annex([...command, '--json'], { env });
      expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/"bytes":\d/) });
      expect(stdout).not.toContain('"published"');
    }
  });

  test("without a lock it holds the registry's versions, and a second bake changes nothing", async () => {
    expect((await at.bake()).code).toBe(0);
    const { imported } = await at.load(['other'], { ANNEX_STORE: at.layer });
    expect(imported.other?.version).toBe('3.1.0');
    const before = at.sandbox.digest(at.layer);
    await at.registry.stop();
    expect((await at.bake()).code).toBe(0);
    expect(at.sandbox.digest(at.layer)).toEqual(before);
  });

  test('one feature can be baked by the name of its package', async () => {
    copyLocks(at.locked, at.sandbox);
    const { code, stdout } = await at.bake('other');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `other: ${listEntries({ store: at.layer })[0]}\n`,
    });
    expect(listEntries({ store: at.layer })).toHaveLength(1);
    const nothing = await at.bake('unheard-of');
    expect(nothing).toMatchObject({ code: 1, stdout: '' });
    expect(nothing.stderr).toMatch(/unheard-of unavailable \(ANNEX_INVALID_CONFIG\)/);
  });

  test('a failure stops no other feature, is not remembered, and gives exit code 1', async () => {
    copyLocks(at.locked, at.sandbox);
    at.declare({ 'not-there': '^1.0.0', bad: 'latest', ...features });
    const { code, stdout, stderr } = await at.bake('--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).results).toMatchObject([
      { feature: 'not-there', outcome: 'failed' },
      { feature: 'bad', outcome: 'failed' },
      { feature: 'kit', outcome: 'installed' },
      { feature: 'other', outcome: 'installed' },
    ]);
    expect(stderr).toMatch(/^annex: not-there unavailable \(ANNEX_INSTALL_FAILED\)/m);
    expect(readdirSync(join(at.layer, 'v1'))).toEqual(['any']);
    expect(await at.bake('not-there')).toMatchObject({ code: 1, stdout: '' });
  });

  test('when nothing can be baked, nothing is left', async () => {
    at.declare({ 'not-there': '^1.0.0' });
    expect((await at.bake()).code).toBe(1);
    expect(readdirSync(at.layer)).toEqual([]);
  });

  test('packages of the core are not baked', async () => {
    at.declare({ common: '^1.0.0' });
    expect(await at.bake()).toMatchObject({ code: 0, stdout: 'common: core ships it\n' });
  });

  test('a core that allows no installs is baked; the environment can still forbid it', async () => {
    copyLocks(at.locked, at.sandbox);
    at.declare(features, { allowInstalls: false });
    const file = at.sandbox.write('operator.json', { allowInstalls: false });
    for (const env of [{ ANNEX_ALLOW_INSTALLS: '0' }, { ANNEX_CONFIG: file }]) {
      const { code, stderr } = await at.sandbox.annex(['bake', at.layer], { env });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^annex: kit unavailable \(ANNEX_DENIED\): installs are switched off/);
      expect(listEntries({ store: at.layer })).toEqual([]);
    }
    expect((await at.bake()).code).toBe(0);
    at.expectBaked(await at.load(['kit', 'other'], { ANNEX_STORE: at.layer }));
  });

  test.each([
    ['inside the core', 'app/layer', /app\/layer lies inside the core \S+\/app /],
    ['above the core', '', /lies above the core \S+\/app /],
    ['a file', 'file', /file is a file /],
  ])('a directory that is %s is refused in one line', async (_, path, reason) => {
    at.sandbox.write('file', '');
    const before = at.sandbox.digest('app');
    // Another switch that is off must not hide this reason.
    const env = { ANNEX_ALLOW_INSTALLS: '0' };
    const args = ['bake', join(at.sandbox.root, path)];
    const { code, stdout, stderr } = await at.sandbox.annex(args, { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^annex: .* Now: bake into a directory outside the core\n$/);
    expect(stderr).toMatch(reason);
    expect(at.sandbox.digest('app')).toEqual(before);
  });

  test('without a directory it is a usage error', async () => {
    expect((await at.sandbox.annex(['bake'])).code).toBe(2);
    expect((await at.sandbox.annex(['bake', ''])).code).toBe(2);
  });

  test('npm’s cache is enough', async () => {
    copyLocks(at.locked, at.sandbox);
    for (const slug of ['kit', 'other']) {
      const cwd = join(at.sandbox.root, slug);
      cpSync(join(at.sandbox.core, 'annex', slug), cwd, { recursive: true });
      const args = ['ci', '--ignore-scripts', '--no-audit'];
      expect(await at.sandbox.exec('npm', args, { cwd })).toMatchObject({ code: 0 });
    }
    await at.registry.stop();
    at.sandbox.write('app/.npmrc', 'offline=true\n');
    const { code, stderr } = await at.bake();
    expect(code, stderr).toBe(0);
    at.expectBaked(await at.load(['kit', 'other'], { ANNEX_STORE: at.layer }));
  });
});
