/** `annex prune` retires entries that the core does not use after a time, and deletes them after another (G2). */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage, subpathPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { features, open, type Pruned, publish, setRetired } from '../support/prune-world.ts';

describe.each(outerNodes)('$label', (node) => {
  test('an undeclared entry is retired 14 days after it was published, and deleted a day later', async () => {
    const world = await open(node);
    const { sandbox, plant, prune, outcomes, layer } = world;
    const old = publish(plant('gone', '1.0.0'), 14.1);
    const young = publish(plant('gone', '1.1.0'), 13.9);
    const kept = publish(plant('alpha', '1.0.0'), 400);
    publish(plant('gone', '1.0.0', { store: layer }), 400);
    const before = sandbox.digest(sandbox.root);

    const dry = await prune(['--dry-run']);
    expect(outcomes(dry)).toEqual({ [old]: 'retired', [young]: 'kept', [kept]: 'kept' });
    const { 'npm-cache-own': _, ...after } = sandbox.digest(sandbox.root);
    expect(after, 'a dry run changes nothing').toEqual(before);

    const first = await prune();
    expect(first.entries).toEqual(dry.entries);
    expect([dry.isDryRun, first.isDryRun]).toEqual([true, false]);
    expect(first.entries[0]?.bytes).toBeGreaterThan(100);
    expect(Object.values(outcomes(await prune()))).toEqual(['kept', 'kept', 'kept']);
    setRetired(world, old, 23.9);
    expect(existsSync(old)).toBe(true);
    expect(outcomes(await prune())[old], 'running processes have a day').toBe('kept');
    setRetired(world, old, 24.1);
    expect(outcomes(await prune(['--dry-run']))[old]).toBe('deleted');
    expect(existsSync(old)).toBe(true);
    expect(outcomes(await prune())).toEqual({
      [old]: 'deleted',
      [young]: 'kept',
      [kept]: 'kept',
    });
    expect([old, young, kept].map((dir) => existsSync(dir))).toEqual([false, true, true]);
    expect(outcomes(await prune(['--days', '13']))[young]).toBe('retired');
    expect(sandbox.digest(layer)).toEqual(
      Object.fromEntries(
        Object.entries(before)
          .filter(([path]) => path === 'baked' || path.startsWith('baked/'))
          .map(([path, what]) => [path.slice(6) || '.', what]),
      ),
    );
  });

  test('a retired entry is chosen by no new process, and kept by those that use it', async () => {
    const { sandbox, plant, prune, outcomes } = await open(node);
    const old = publish(
      plant('alpha', '1.0.0', { packages: [subpathPackage('alpha', '1.0.0', 'planted')] }),
      30,
    );
    const cli = join(repositoryRoot, 'dist', 'cli', 'main.js');
    sandbox.write(
      'app/running.mjs',
      `import { execFileSync } from 'node:child_process';
         import { writeFileSync } from 'node:fs';
         await import('alpha');
         writeFileSync('package.json', JSON.stringify({ annex: { features: { beta: '*' } } }));
         console.log(execFileSync(process.execPath, [${JSON.stringify(cli)}, 'prune']).toString());
         console.log((await import('alpha/sub')).subpath);`,
    );
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const options = { node: node.path, env };
    const ran = await sandbox.run(['--import', sandbox.loader, 'running.mjs'], options);
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^retired .*: no such feature is declared\n(?:.*\n)*\n\.\/sub\n$/);

    sandbox.setCore({ features });
    const { imported } = await importIn(sandbox, ['alpha'], options);
    expectRefused(imported.alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/);
    const { stdout } = await sandbox.annex(['list'], {
      ...options,
      env: { ...env, ANNEX_ALLOW_INSTALLS: '1' },
    });
    expect(stdout).toContain(`${old} was retired: annex prune: no such feature is declared`);
    const newer = plant('alpha', '1.0.0', { generation: '1' });
    expect(outcomes(await prune())).toEqual({ [old]: 'kept', [newer]: 'kept' });
  });

  test('G2: an entry that fits stays at any age, for every ABI; a replaced one goes after a time', async () => {
    const { sandbox, plant, prune, outcomes } = await open(node);
    const bound = (abi: string, version: string, days: number) =>
      publish(plant('alpha', version, { abi }), days);
    const fitting = [
      publish(plant('alpha', '1.2.0'), 400),
      bound('node1-linux-x64-glibc', '1.3.0', 400),
      bound('node2-linux-x64-musl', '1.2.5', 400),
    ];
    const replaced = [
      publish(plant('alpha', '0.9.0'), 500),
      publish(plant('alpha', '1.1.0'), 500),
      bound('node1-linux-x64-glibc', '0.9.0', 500),
    ];
    const lonely = publish(plant('beta', '0.1.0'), 500);
    const before = sandbox.digest(lonely);
    const first = await prune();
    const found = outcomes(first);
    for (const dir of fitting) expect(found[dir], dir).toBe('kept');
    for (const dir of replaced) expect(found[dir], dir).toBe('retired');
    const whyLonely = ({ entries }: Pruned) => entries.find(({ entry }) => entry === lonely)?.why;
    expect([found[lonely], whyLonely(first)]).toEqual(['kept', 'no valid entry replaces it yet']);

    publish(plant('beta', '1.0.0'), 13);
    const early = await prune();
    expect(outcomes(early)[lonely], 'a rollback needs it').toBe('kept');
    expect(whyLonely(early)).toBe('replaced, but only 13 days ago');
    expect(outcomes(await prune(['--days', '12.5']))[lonely]).toBe('retired');
    expect(sandbox.digest(lonely), 'the entry itself is not written to').toEqual(before);
  });

  test('a package that the core now ships replaces an entry that does not fit', async () => {
    const { sandbox, plant, prune, outcomes } = await open(node);
    sandbox.addPackage('app/node_modules', esmPackage('alpha', '1.5.0', 'core'));
    const fits = publish(plant('alpha', '1.0.0'), 400);
    const not = publish(plant('alpha', '0.9.0'), 400);
    expect(outcomes(await prune())).toEqual({ [fits]: 'kept', [not]: 'retired' });
  });

  test('a feature with an invalid declaration, or with a similar name, keeps its entries', async () => {
    const { sandbox, plant, prune, outcomes } = await open(node);
    sandbox.setCore({
      features: { alpha: 'latest', 'be/ta': '^1.0.0', 'be-ta': '^1.0.0', gamma: '^1.0.0' },
    });
    sandbox.write('app/annex/gamma/annex.json', '<<<<<<< HEAD');
    const kept = [
      publish(plant('alpha', '0.1.0'), 400),
      publish(plant('be-ta', '0.1.0'), 400),
      publish(plant('be-ta', '1.0.0'), 400),
      publish(plant('gamma', '1.0.0'), 400),
    ];
    const gone = publish(plant('delta', '1.0.0'), 400);
    const found = await prune();
    const expected = Object.fromEntries(kept.map((dir) => [dir, 'kept']));
    expect(outcomes(found)).toEqual({ ...expected, [gone]: 'retired' });
    const why = (dir: string) => found.entries.find(({ entry }) => entry === dir)?.why;
    expect(kept.map(why)).toEqual([
      expect.stringMatching(/annex\.features\["alpha"\] .*latest/),
      expect.stringMatching(/annex\.features\["be\/ta"\] /),
      expect.stringMatching(/annex\.features\["be\/ta"\] /),
      expect.stringMatching(/gamma\/annex\.json does not parse/),
    ]);
  });
});
