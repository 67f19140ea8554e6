/** `annex prune`: what one core has no use for is retired after a time, deleted after another, and nothing else is touched (G2). */
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CliWorld, openCli } from '../support/cli.ts';
import { esmPackage, subpathPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { type NodeUnderTest, outerNodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import type { RunOptions, SandboxOptions } from '../support/sandbox.ts';
import { asPlainUser, giveTo, isRoot } from '../support/user.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const features = { alpha: '^1.0.0', beta: '^1.0.0' };

/** Sets the time at which an entry was published, days ago. */
function publish(entry: string, days: number): string {
  const at = (Date.now() - days * DAY) / 1000;
  utimesSync(join(entry, 'annex-entry.json'), at, at);
  return entry;
}

/** Sets the time at which an entry was retired, hours ago. */
function setRetired({ sandbox }: CliWorld, entry: string, hours: number): void {
  const mark = `${basename(dirname(entry))}.${basename(entry)}`;
  const at = (Date.now() - hours * HOUR) / 1000;
  utimesSync(join(sandbox.store, 'v1', 'retired', mark), at, at);
}

interface Pruned {
  store: string;
  isDryRun: boolean;
  entries: { entry: string; feature: string; outcome: string; why: string; bytes: number }[];
}

async function open(node: NodeUnderTest, options?: SandboxOptions) {
  const world = await openCli(node, options);
  world.sandbox.setCore({ features });
  const prune = async (args: string[] = [], options?: RunOptions) => {
    const ended = await world.annex(['prune', '--json', ...args], options);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    return JSON.parse(ended.stdout) as Pruned;
  };
  /** What became of each entry. */
  const outcomes = ({ entries }: Pruned): Record<string, string> =>
    Object.fromEntries(entries.map(({ entry, outcome }) => [entry, outcome]));
  /** Of the range that its own version is the first of. */
  const plant: CliWorld['plant'] = (name, version, rest) =>
    world.plant(name, version, { specs: { [name]: `^${version}` }, ...rest });
  return { ...world, plant, prune, outcomes };
}

for (const node of outerNodes) {
  describe(node.label, () => {
    test('what is not declared is retired 14 days after it was published, and deleted a day later', async () => {
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
      expect(outcomes(await prune())[old], 'whoever runs on it has a day').toBe('kept');
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

    test('what is retired is chosen by no new process, and stays with those that run on it', async () => {
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

    test('G2: what fits stays however old it is, for every ABI; what it replaced goes when that is long ago', async () => {
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
      expect([found[lonely], whyLonely(first)]).toEqual([
        'kept',
        'nothing that fits has taken its place yet',
      ]);

      publish(plant('beta', '1.0.0'), 13);
      const early = await prune();
      expect(outcomes(early)[lonely], 'a rollback needs it').toBe('kept');
      expect(whyLonely(early)).toBe('replaced, but only 13 days ago');
      expect(outcomes(await prune(['--days', '12.5']))[lonely]).toBe('retired');
      expect(sandbox.digest(lonely), 'the entry itself is not written to').toEqual(before);
    });

    test('what core ships now is there instead of what does not fit', async () => {
      const { sandbox, plant, prune, outcomes } = await open(node);
      sandbox.addPackage('app/node_modules', esmPackage('alpha', '1.5.0', 'core'));
      const fits = publish(plant('alpha', '1.0.0'), 400);
      const not = publish(plant('alpha', '0.9.0'), 400);
      expect(outcomes(await prune())).toEqual({ [fits]: 'kept', [not]: 'retired' });
    });

    test('a feature that is declared wrongly, or looks like one that is, keeps its entries', async () => {
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

    test.for([
      ['no feature at all', { features: {} }, /declares no feature, so all would go/],
      ['features that are a list', { features: [] }, /declares no feature|is not right/],
      [
        'a key of a later version',
        { features, later: true },
        /\(ANNEX_INVALID_CONFIG\).*not right/,
      ],
    ] as const)('a core with %s prunes nothing', async ([, annex, reason]) => {
      const { sandbox, annex: run, plant } = await open(node);
      sandbox.setCore(annex);
      publish(plant('alpha', '0.1.0'), 400);
      const before = sandbox.digest(sandbox.store);
      const env = { ANNEX_CORE: sandbox.core };
      const { code, stdout, stderr } = await run(['prune', '--days', '0'], { env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^annex: nothing was pruned \(ANNEX_INVALID_CONFIG\)/m);
      expect(stderr).toMatch(reason);
      expect(sandbox.digest(sandbox.store)).toEqual(before);
    });

    test('another format, another kind of file and another name are not touched', async () => {
      const { sandbox, plant, prune, outcomes } = await open(node);
      const v1 = join(sandbox.store, 'v1');
      const newer = publish(plant('gone', '1.0.0', { manifest: { format: 3 } }), 400);
      plant('gone', '1.0.0', { store: join(sandbox.root, 'other') });
      mkdirSync(join(sandbox.store, 'v2'));
      await sandbox.exec('cp', [
        '-a',
        join(sandbox.root, 'other', 'v1', 'any'),
        join(v1, 'backup'),
      ]);
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

    test('a time in the future is no age', async () => {
      const world = await open(node);
      const early = publish(world.plant('gone', '1.0.0'), -400);
      expect(world.outcomes(await world.prune(['--days', '0']))).toEqual({ [early]: 'kept' });
    });

    test('a store that is not there has nothing to prune; none at all, and a wrong call, are told', async () => {
      const { sandbox, annex, prune } = await open(node);
      expect(await prune()).toMatchObject({ store: sandbox.store, entries: [] });
      expect(existsSync(sandbox.store)).toBe(false);
      const env = { ANNEX_STORE: undefined, ANNEX_SEALED: '1' };
      const without = await annex(['prune'], { env });
      expect(without.code).toBe(1);
      expect(without.stderr).toMatch(
        /^annex: nothing was pruned \(ANNEX_STORE_UNUSABLE\): there is no store/,
      );
      for (const args of [['alpha'], ['--days', 'x'], ['--days', '-1'], ['--days', '']]) {
        const { code, stdout } = await annex(['prune', ...args]);
        expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      }
    });

    test('a plain user prunes a store of its own', async () => {
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

    test('a store that cannot be written is told, in one line', async () => {
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

    test.runIf(isRoot)(
      'root prunes no store of another, and nobody an entry of another',
      async () => {
        const { sandbox, annex, plant, prune, outcomes } = await open(node, { copyAnnex: true });
        const [own, other] = [plant('gone', '1.0.0'), plant('gone', '1.1.0')];
        for (const dir of [own, other]) publish(dir, 30);
        giveTo({ uid: 5001, gid: 2000 }, dirname(sandbox.store));
        const before = sandbox.digest(sandbox.store);
        const byRoot = await annex(['prune']);
        expect(byRoot.code).toBe(1);
        expect(byRoot.stderr).toMatch(
          /ANNEX_STORE_UNUSABLE\): .* belongs to uid 5001, and this process is root/,
        );
        expect(sandbox.digest(sandbox.store)).toEqual(before);
        await sandbox.exec('chmod', ['-R', '2775', sandbox.store]);
        giveTo({ uid: 5002, gid: 2000 }, other);
        chownSync(other, 5002, 2000);
        const user = { uid: 5001, gid: 2000 };
        expect(outcomes(await prune([], user))).toEqual({ [own]: 'retired', [other]: 'kept' });
        expect(lstatSync(other).uid).toBe(5002);
      },
    );
  });
}
