/** An update bot edits the npm project of a feature, and `annex lock` accepts what the declaration allows. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node, readLock } from '../support/lock-files.ts';
import type { Sandbox } from '../support/sandbox.ts';

const kit = (version: string) =>
  dependentPackage('kit', version, `kit ${version}`, { leaf: '^1.0.0', common: '^1.0.0' });
const leaf = (version: string) => esmPackage('leaf', version, `leaf ${version}`);
const common = (version: string) => esmPackage('common', version, `common ${version}`);

const openLocked = lockBefore({
  packages: [kit('1.0.0'), leaf('1.0.0'), common('1.0.0')],
  annex: {},
  prepare: (sandbox) => {
    sandbox.setCore({ features: { kit: '^1.0.0' } }, { dependencies: { common: '*' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), common('1.0.0'));
  },
});

/** Locks, a registry with later versions, and a bot: npm in the directory of the lock. */
async function open() {
  const { sandbox, registry } = await openLocked();
  await registry.add(kit('1.1.0'), kit('2.0.0'), leaf('1.2.0'), common('1.5.0'));
  const cwd = join(sandbox.core, 'annex', 'kit');
  const bot = async (...args: string[]) => {
    const run = await sandbox.exec('npm', [...args, '--package-lock-only', '--no-audit'], { cwd });
    expect(run).toMatchObject({ code: 0 });
  };
  return { sandbox, bot };
}

const versions = (sandbox: Sandbox) =>
  Object.fromEntries(
    ['kit', 'leaf', 'common'].map((name) => [
      name,
      readLock(sandbox, 'kit').packages[`node_modules/${name}`]?.version,
    ]),
  );
const manifest = (sandbox: Sandbox) =>
  JSON.parse(readLock(sandbox, 'kit').texts['package.json'] ?? '');

describe(node.label, () => {
  test('a version in the declared range is locked, and the declared range stays', async () => {
    const { sandbox, bot } = await open();
    await bot('install', 'kit@1.1.0');
    expect(manifest(sandbox).dependencies.kit).toBe('^1.1.0');
    const checked = await sandbox.annex(['lock', '--check']);
    expect(checked).toMatchObject({ code: 1 });
    expect(checked.stderr).toMatch(/is not the file that annex wrote.*Now: npx annex lock kit\n$/);
    await lock(sandbox);
    expect(versions(sandbox)).toEqual({ kit: '1.1.0', leaf: '1.0.0', common: '1.0.0' });
    expect(manifest(sandbox).dependencies).toEqual({ common: '1.0.0', kit: '^1.0.0' });
    expect((await sandbox.annex(['lock', '--check'])).code).toBe(0);
  });

  test('so is another version of a dependency alone', async () => {
    const { sandbox, bot } = await open();
    await bot('update', 'leaf');
    await lock(sandbox);
    expect(versions(sandbox)).toEqual({ kit: '1.0.0', leaf: '1.2.0', common: '1.0.0' });
  });

  test('a version outside the declared range is refused, and nothing is written', async () => {
    const { sandbox, bot } = await open();
    await bot('install', 'kit@2.0.0');
    const before = sandbox.digest(sandbox.core);
    const { code, stderr } = await sandbox.annex(['lock']);
    const path = join(sandbox.core, 'annex', 'kit', 'package-lock.json');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `annex: kit cannot be locked: ${path} was edited: it has kit 2.0.0, and ^1.0.0 is declared (ANNEX_INVALID_CONFIG). Now: npx annex add kit@^2.0.0 --feature kit; or, to drop the edit, npx annex update kit\n`,
    });
    expect(sandbox.digest(sandbox.core)).toEqual(before);
  });

  test('both remedies of the refusal work', async () => {
    const { sandbox, bot } = await open();
    await bot('install', 'kit@2.0.0');
    const added = await sandbox.annex(['add', 'kit@^2.0.0', '--feature', 'kit']);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(versions(sandbox).kit).toBe('2.0.0');
    expect((await sandbox.annex(['lock', '--check'])).code).toBe(0);

    const { sandbox: other, bot: second } = await open();
    await second('install', 'kit@2.0.0');
    expect(await other.annex(['update', 'kit'])).toMatchObject({ code: 0, stderr: '' });
    expect(versions(other).kit).toBe('1.1.0');
    expect((await other.annex(['lock', '--check'])).code).toBe(0);
  });

  test("a package of the application keeps the application's version", async () => {
    const { sandbox, bot } = await open();
    const { texts } = readLock(sandbox, 'kit');
    await bot('install', 'common@1.5.0');
    await lock(sandbox);
    expect(readLock(sandbox, 'kit').texts).toEqual(texts);
  });

  test('a declared range that excludes what annex locked is no edit', async () => {
    const { sandbox, bot } = await open();
    await bot('install', 'kit@1.1.0');
    await lock(sandbox);
    sandbox.setCore({ features: { kit: '~1.0.0' } }, { dependencies: { common: '*' } });
    await lock(sandbox);
    expect(versions(sandbox).kit).toBe('1.0.0');
  });
});
