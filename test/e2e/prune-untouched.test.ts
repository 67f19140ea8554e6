/** `annex prune` leaves unknown files, read-only stores and cores without features alone (G2). */
import { chownSync, existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { outerNodes } from '../support/nodes.ts';
import { features, open, publish, setRetired } from '../support/prune-world.ts';
import { asPlainUser, giveTo, isRoot } from '../support/user.ts';

describe.each(outerNodes)('$label', (node) => {
  test.for([
    ['no feature at all', { features: {} }, /declares no feature, so all entries would go/],
    ['features that are a list', { features: [] }, /declares no feature|is invalid/],
    ['a key of a later version', { features, later: true }, /is invalid \(ANNEX_INVALID_CONFIG\)/],
  ] as const)('a core with %s prunes nothing', async ([, annex, reason]) => {
    const { sandbox, annex: run, plant } = await open(node);
    sandbox.setCore(annex);
    publish(plant('alpha', '0.1.0'), 400);
    const before = sandbox.digest(sandbox.store);
    const env = { ANNEX_CORE: sandbox.core };
    const { code, stdout, stderr } = await run(['prune', '--days', '0'], { env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^annex: nothing was pruned: .*\(ANNEX_INVALID_CONFIG\)/m);
    expect(stderr).toMatch(reason);
    expect(sandbox.digest(sandbox.store)).toEqual(before);
  });

  test('other formats, kinds of files and names are not touched', async () => {
    const { sandbox, plant, prune, outcomes } = await open(node);
    const v1 = join(sandbox.store, 'v1');
    const newer = publish(plant('gone', '1.0.0', { manifest: { format: 3 } }), 400);
    plant('gone', '1.0.0', { store: join(sandbox.root, 'other') });
    mkdirSync(join(sandbox.store, 'v2'));
    await sandbox.exec('cp', ['-a', join(sandbox.root, 'other', 'v1', 'any'), join(v1, 'backup')]);
    await sandbox.exec('cp', [
      '-a',
      join(sandbox.root, 'other', 'v1', 'any'),
      `${sandbox.store}/v2`,
    ]);
    const id = 'a'.repeat(32);
    symlinkSync(sandbox.core, join(v1, 'any', `gone.${id}.0`));
    sandbox.write(join(v1, 'any', `gone.${id}.1`), 'a file');
    sandbox.write(join(v1, 'any', 'gone', 'annex-entry.json'), '{}');
    sandbox.write(join(v1, 'notes.txt'), 'a file');
    const damaged = plant('gone', '1.0.1');
    rmSync(join(damaged, 'annex-entry.json'));
    const before = sandbox.digest(sandbox.store);
    const found = outcomes(await prune(['--days', '0']));
    expect(found).toEqual({
      [newer]: 'kept',
      [damaged]: 'retired',
      [join(v1, 'any', `gone.${id}.0`)]: 'kept',
      [join(v1, 'any', `gone.${id}.1`)]: 'kept',
    });
    expect(sandbox.digest(sandbox.store)).toMatchObject(before);
  });

  test('an entry with a time in the future has no age', async () => {
    const world = await open(node);
    const early = publish(world.plant('gone', '1.0.0'), -400);
    expect(world.outcomes(await world.prune(['--days', '0']))).toEqual({ [early]: 'kept' });
  });

  test('an absent store has nothing to prune; a missing setting and wrong arguments are reported', async () => {
    const { sandbox, annex, prune } = await open(node);
    expect(await prune()).toMatchObject({ store: sandbox.store, entries: [] });
    expect(existsSync(sandbox.store)).toBe(false);
    const env = { ANNEX_STORE: undefined, ANNEX_SEALED: '1' };
    const without = await annex(['prune'], { env });
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(
      /^annex: nothing was pruned: there is no store \(ANNEX_STORE_UNUSABLE\)/,
    );
    for (const args of [['alpha'], ['--days', 'x'], ['--days', '-1'], ['--days', '']]) {
      const { code, stdout } = await annex(['prune', ...args]);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
    }
  });

  test('a plain user prunes its own store', async () => {
    const world = await open(node, { copyAnnex: true });
    const { sandbox, plant, prune, outcomes } = world;
    const old = publish(plant('gone', '1.0.0'), 30);
    giveTo(asPlainUser, dirname(sandbox.store));
    await sandbox.exec('chmod', ['-R', 'a-w', join(old, 'node_modules')]);
    expect(outcomes(await prune([], asPlainUser))).toEqual({ [old]: 'retired' });
    setRetired(world, old, 25);
    expect(outcomes(await prune([], asPlainUser))).toEqual({ [old]: 'deleted' });
    expect(existsSync(old)).toBe(false);
  });

  test('a read-only store is reported in one line', async () => {
    const { sandbox, annex, plant } = await open(node, { copyAnnex: true });
    publish(plant('gone', '1.0.0'), 30);
    giveTo(asPlainUser, dirname(sandbox.store));
    await sandbox.exec('chmod', ['-R', 'a-w', sandbox.store]);
    const { code, stdout, stderr } = await annex(['prune'], asPlainUser);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^annex: \S+ cannot be used: .*EACCES.* \(ANNEX_STORE_UNUSABLE\)\. Now: .*\n$/,
    );
  });

  test.runIf(isRoot)('no user prunes the store or entry of another, nor does root', async () => {
    const { sandbox, annex, plant, prune, outcomes } = await open(node, { copyAnnex: true });
    const [own, other] = [plant('gone', '1.0.0'), plant('gone', '1.1.0')];
    for (const dir of [own, other]) publish(dir, 30);
    giveTo({ uid: 5001, gid: 2000 }, dirname(sandbox.store));
    const before = sandbox.digest(sandbox.store);
    const byRoot = await annex(['prune']);
    expect(byRoot.code).toBe(1);
    expect(byRoot.stderr).toMatch(
      / belongs to uid 5001, and this process is root \(ANNEX_STORE_UNUSABLE\)/,
    );
    expect(sandbox.digest(sandbox.store)).toEqual(before);
    await sandbox.exec('chmod', ['-R', '2775', sandbox.store]);
    giveTo({ uid: 5002, gid: 2000 }, other);
    chownSync(other, 5002, 2000);
    const user = { uid: 5001, gid: 2000 };
    expect(outcomes(await prune([], user))).toEqual({ [own]: 'retired', [other]: 'kept' });
    expect(lstatSync(other).uid).toBe(5002);
  });
});
