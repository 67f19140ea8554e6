/** Withdrawn releases: what is blocked is neither installed nor loaded, says why, and takes nothing else along. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, splitLines, writeImporter } from '../support/importer.ts';
import { copyLocks, listEntries, lock, node, readLock } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { type PackageFixture, type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';

const features = { kit: '^1.0.0', other: '^1.0.0' };
const REASON = 'CVE-2024-39338';

const kit = dependentPackage('kit', '1.0.0', 'kit', { low: '^1.0.0' });
const low = esmPackage('low', '1.0.0', 'low');
const other = esmPackage('other', '1.0.0', 'other');

let locked: Sandbox;
beforeAll(async () => {
  const lockable = await startRegistry([kit, low, other]);
  locked = await createSandbox({ registry: lockable, node: node.path });
  locked.setCore({ features });
  await lock(locked);
  await lockable.stop();
});
afterAll(() => locked.cleanup());

let registry: Registry;
let sandbox: Sandbox;
let file: string;
beforeEach(async () => {
  registry = await startRegistry([kit, low, other]);
  onTestFinished(() => registry.stop());
  sandbox = await createSandbox({ registry, node: node.path });
  onTestFinished(() => sandbox.cleanup());
  sandbox.setCore({ features });
  writeImporter(sandbox);
  file = join(sandbox.root, 'operator.json');
  block();
});

const closures: Record<string, [PackageFixture, ...PackageFixture[]]> = {
  kit: [kit, low],
  other: [other],
};

/** Puts features where an install would have. */
function plant(store = sandbox.store, names = ['kit', 'other']): void {
  for (const feature of names) {
    const packages = closures[feature] ?? [other];
    sandbox.plantEntry({ store, feature, packages, specs: { [feature]: '^1.0.0' } });
  }
}

/** Writes the operator's file. */
const block = (...blocked: unknown[]): string => sandbox.write(file, { blocked });

const withEnv = ({ env, ...rest }: RunOptions = {}): RunOptions => ({
  ...rest,
  env: { ANNEX_STORE: sandbox.store, ANNEX_CONFIG: file, ...env },
});
const load = async (names: string[], options?: RunOptions) =>
  (await importIn(sandbox, names, withEnv(options))).imported;
const annex = (...args: string[]) => sandbox.annex(args, withEnv());

/** Runs a program whose body prints lines; `write` replaces the operator's file. */
async function run(body: string, options?: RunOptions): Promise<string[]> {
  const program = sandbox.write(
    'app/run.mjs',
    `import { writeFileSync } from 'node:fs';
     import { ensure, isAvailable, status } from 'annex';
     const write = (...blocked) => writeFileSync(${JSON.stringify(file)}, JSON.stringify({ blocked }));
     const tell = ({ cause, message }) => cause?.message ?? message;
     const load = (name) => import(name).then(({ marker }) => marker, tell).then(console.log);
     const attempt = (name) => ensure(name).then(({ where }) => where, tell).then(console.log);
     ${body}`,
  );
  const { stdout, stderr, code } = await sandbox.run(
    ['--import', sandbox.loader, program],
    withEnv(options),
  );
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return splitLines(stdout);
}

const tarballs = () => registry.requests.filter((line) => line.endsWith('.tgz'));

describe.each([['locked'], ['not locked']])('an installed feature that is %s', (how) => {
  beforeEach(async () => {
    if (how === 'locked') copyLocks(locked, sandbox);
    else plant();
    expect(await load(['kit', 'other'])).toMatchObject({
      kit: { marker: 'kit' },
      other: { marker: 'other' },
    });
  });

  test('is off when a package of it is blocked, alone; unblocked, it is back without a download', async () => {
    block({ spec: 'low@<1.0.1', reason: REASON });
    const before = tarballs().length;
    const { kit, other } = await load(['kit', 'other']);
    const said = `low 1\\.0\\.0 is blocked by ${file} \\(low@<1\\.0\\.1\\): ${REASON}`;
    expectRefused(kit, 'ANNEX_DENIED', new RegExp(said), 'kit');
    expect(kit?.cause?.hint).toContain(`remove that item from ${file}`);
    expect(other?.marker).toBe('other');
    const list = await annex('list');
    expect(list.stdout).toMatch(new RegExp(`^kit .* denied .*ANNEX_DENIED: ${said}`, 'm'));
    const why = await annex('why', 'kit');
    expect(why.stdout).toMatch(new RegExp(`passed over: .*${said}`));
    expect(tarballs()).toHaveLength(before);
    block();
    await registry.stop();
    expect((await load(['kit'])).kit?.marker).toBe('kit');
  });

  test('says that it is blocked where installs are off, too', async () => {
    block('low');
    const env = { ANNEX_ALLOW_INSTALLS: 'off' };
    const { kit } = await load(['kit'], { env });
    expectRefused(kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/, 'kit');
    const { stdout } = await sandbox.annex(['refresh'], withEnv({ env }));
    expect(stdout).toMatch(/^kit: skipped \(ANNEX_DENIED\): low 1\.0\.0 is blocked/m);
  });

  test('is not tried where the lock tells, and else once, however often it is asked for', async () => {
    block('low');
    const { stderr } = await importIn(sandbox, ['kit', 'kit/x', 'kit'], withEnv());
    const tries = how === 'locked' ? 0 : 1;
    expect(stderr.match(/^annex: installing kit/gm) ?? []).toHaveLength(tries);
    const remembered = join(sandbox.store, 'v1', 'failures', 'kit.json');
    expect(existsSync(remembered)).toBe(tries === 1);
    const { imported, lines } = await importIn(sandbox, ['kit'], withEnv());
    expect(lines).toEqual([imported.kit?.cause?.message]);
  });
});

for (const one of nodes) {
  describe(one.label, () => {
    const options = { node: one.path };

    test('a process that has not used it yet learns of it; one that has goes on', async () => {
      plant();
      const said = await run(
        `await load('other');
         write('low', 'other');
         await load('kit');
         console.log(isAvailable('kit'), status().features.map(({ where }) => where).join());
         await attempt('kit');
         await load('other');
         await load('other/index.js');
         write();
         console.log(isAvailable('kit'));
         await load('kit');`,
        options,
      );
      const refused = expect.stringMatching(/\(ANNEX_DENIED\): low 1\.0\.0 is blocked by /);
      expect(said).toEqual([
        'other',
        refused,
        'false denied,denied',
        refused,
        'other',
        expect.stringMatching(/not defined by "exports"/),
        'true',
        'kit',
      ]);
    });
  });
}

describe('blocked in package.json', () => {
  const declare = (blocked: unknown) => sandbox.setCore({ features, blocked });

  test('it is refused before anything is downloaded', async () => {
    declare([{ spec: 'low@1.0.0', reason: REASON }]);
    const { kit, other } = await load(['kit', 'other']);
    const said = new RegExp(
      `low 1\\.0\\.0 is blocked by package\\.json \\(low@1\\.0\\.0\\): ${REASON}`,
    );
    expectRefused(kit, 'ANNEX_DENIED', said, 'kit');
    expect(kit?.cause?.hint).toMatch(/^declare another range,/);
    expect(other?.marker).toBe('other');
    expect(tarballs()).toEqual(['GET /other/-/other-1.0.0.tgz']);
  });

  test('a lock that holds it asks nobody', async () => {
    copyLocks(locked, sandbox);
    declare(['low@1.0.0']);
    const { kit } = await load(['kit']);
    expectRefused(kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/, 'kit');
    expect(kit?.cause?.hint).toMatch(/^lock another version: npx annex lock kit$/);
    expect(registry.requests).toEqual([]);
  });

  test('both lists count', async () => {
    plant();
    declare(['low@1.0.0']);
    block('other');
    const env = { ANNEX_ALLOW_INSTALLS: 'off' };
    const { kit, other } = await load(['kit', 'other'], { env });
    expectRefused(kit, 'ANNEX_DENIED', /by package\.json/, 'kit');
    expectRefused(other, 'ANNEX_DENIED', /by \/.*operator\.json/, 'other');
  });

  test('what was installed without a lock is replaced by what is not blocked', async () => {
    plant();
    await registry.add(esmPackage('low', '1.0.1', 'a later low'));
    declare(['low@1.0.0']);
    expect((await load(['kit'])).kit?.marker).toBe('kit');
    expect(listEntries(sandbox)).toHaveLength(3);
    expect(tarballs().at(-1)).toBe('GET /low/-/low-1.0.1.tgz');
  });

  test('a lock is made without it where another version fits, and not made where none does', async () => {
    copyLocks(locked, sandbox);
    declare(['low@1.0.0']);
    const check = await annex('lock', '--check');
    expect({ code: check.code, stderr: check.stderr }).toEqual({
      code: 1,
      stderr:
        'annex: kit: low 1.0.0 is blocked by package.json (low@1.0.0). Now: npx annex lock kit\n',
    });
    const none = await annex('lock');
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/^annex: kit unavailable \(ANNEX_DENIED\): low 1\.0\.0 is blocked/);
    expect(readLock(sandbox, 'kit').packages['node_modules/low']?.version).toBe('1.0.0');
    await registry.add(esmPackage('low', '1.0.1', 'a later low'));
    await lock(sandbox);
    expect(readLock(sandbox, 'kit').packages['node_modules/low']?.version).toBe('1.0.1');
    expect((await annex('lock', '--check')).code).toBe(0);
    expect((await load(['kit'])).kit?.marker).toBe('kit');
  });

  test('an alias is known by its real name', async () => {
    await registry.add(dependentPackage('kit', '1.1.0', 'kit', { low2: 'npm:low@1.0.0' }));
    declare(['low']);
    expectRefused((await load(['kit'])).kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/, 'kit');
    declare(['low2']);
    expect((await load(['kit'])).kit?.marker).toBe('kit');
  });

  test('what core ships is only reported: an entry that shares it goes on', async () => {
    sandbox.addPackage('app/node_modules', esmPackage('low', '1.0.0', 'core'));
    sandbox.setCore({ features, blocked: ['low'] }, { dependencies: { low: '^1.0.0' } });
    const { kit, low } = await load(['kit', 'low']);
    expect([kit?.marker, low?.marker]).toEqual(['kit', 'core']);
    const line =
      'annex: low 1.0.0 is blocked by package.json (low); core ships it, and core wins. ' +
      'Now: npm install low@VERSION, with one that is not blocked\n';
    expect(await annex('list')).toMatchObject({ code: 0, stderr: line });
    await lock(sandbox);
    expect(await annex('lock', '--check')).toMatchObject({ code: 0, stderr: line });
  });

  test('an entry of a layer is no exception', async () => {
    const layer = join(sandbox.root, 'layer');
    plant(layer);
    const env = { ANNEX_STORE: `${sandbox.store}:${layer}`, ANNEX_ALLOW_INSTALLS: 'off' };
    expect((await load(['kit'], { env })).kit?.marker).toBe('kit');
    declare(['low']);
    expectRefused((await load(['kit'], { env })).kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/);
  });
});

describe('a list that is invalid', () => {
  test.each(['package.json', 'the operator’s file'])(
    'in %s: nothing is installed, what is there loads, and a line says so',
    async (where) => {
      plant(sandbox.store, ['kit']);
      if (where === 'package.json') sandbox.setCore({ features, blocked: ['*'] });
      else block('*');
      const { imported, lines } = await importIn(sandbox, ['kit', 'other'], withEnv());
      expect(imported.kit?.marker).toBe('kit');
      const code = where === 'package.json' ? 'ANNEX_DENIED' : 'ANNEX_INVALID_CONFIG';
      expectRefused(imported.other, code, /invalid.*blocked\[0\]/, 'other');
      expect(lines).toEqual([
        expect.stringMatching(/blocked\[0\].*ANNEX_INVALID_CONFIG/),
        imported.other?.cause?.message,
      ]);
    },
  );

  test('in the operator’s file of a running process: what it said at the start stands', async () => {
    plant();
    block('low');
    const said = await run(
      `writeFileSync(${JSON.stringify(file)}, '{"blocked": ["ot');
       await load('kit');
       await load('other');`,
    );
    expect(said).toEqual([expect.stringMatching(/low 1\.0\.0 is blocked/), 'other']);
  });
});
