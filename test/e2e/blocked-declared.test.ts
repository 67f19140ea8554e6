/** Releases blocked in package.json are not installed, locked or loaded; an invalid list keeps the last valid one. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  annex,
  block,
  features,
  file,
  load,
  locked,
  plant,
  REASON,
  registry,
  run,
  sandbox,
  tarballs,
  withEnv,
} from '../support/blocked-world.ts';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { copyLocks, listEntries, lock, readLock } from '../support/lock-files.ts';

describe('a release that package.json blocks', () => {
  const declare = (blocked: unknown) => sandbox.setCore({ features, blocked });

  test('is refused before anything is downloaded', async () => {
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

  test('is refused without a request if a lock holds it', async () => {
    copyLocks(locked, sandbox);
    declare(['low@1.0.0']);
    const { kit } = await load(['kit']);
    expectRefused(kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/, 'kit');
    expect(kit?.cause?.hint).toMatch(/^lock another version: npx annex lock kit$/);
    expect(registry.requests).toEqual([]);
  });

  test('counts beside those of the operator’s file', async () => {
    plant();
    declare(['low@1.0.0']);
    block('other');
    const env = { ANNEX_ALLOW_INSTALLS: 'off' };
    const { kit, other } = await load(['kit', 'other'], { env });
    expectRefused(kit, 'ANNEX_DENIED', /by package\.json/, 'kit');
    expectRefused(other, 'ANNEX_DENIED', /by \/.*operator\.json/, 'other');
  });

  test('is replaced by another one if it is installed without a lock', async () => {
    plant();
    await registry.add(esmPackage('low', '1.0.1', 'a later low'));
    declare(['low@1.0.0']);
    expect((await load(['kit'])).kit?.marker).toBe('kit');
    expect(listEntries(sandbox)).toHaveLength(3);
    expect(tarballs().at(-1)).toBe('GET /low/-/low-1.0.1.tgz');
  });

  test('is left out of a new lock if another version fits; otherwise no lock is made', async () => {
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
    expect(none.stderr).toMatch(
      /^annex: kit cannot be locked: low 1\.0\.0 is blocked .*\(ANNEX_DENIED\)/,
    );
    expect(readLock(sandbox, 'kit').packages['node_modules/low']?.version).toBe('1.0.0');
    await registry.add(esmPackage('low', '1.0.1', 'a later low'));
    await lock(sandbox);
    expect(readLock(sandbox, 'kit').packages['node_modules/low']?.version).toBe('1.0.1');
    expect((await annex('lock', '--check')).code).toBe(0);
    expect((await load(['kit'])).kit?.marker).toBe('kit');
  });

  test('is recognized behind an alias', async () => {
    await registry.add(dependentPackage('kit', '1.1.0', 'kit', { low2: 'npm:low@1.0.0' }));
    declare(['low']);
    expectRefused((await load(['kit'])).kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/, 'kit');
    declare(['low2']);
    expect((await load(['kit'])).kit?.marker).toBe('kit');
  });

  test('is only reported if core ships it: an entry that shares it still works', async () => {
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

  test('is not loaded from a layer either', async () => {
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
    'in %s denies installs with one line, and installed features load',
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

  test("in the operator's file of a running process leaves the list of its start in force", async () => {
    plant();
    block('low');
    const said = await run(
      `writeFileSync(${JSON.stringify(file)}, '{"blocked": ["ot');
       await load('kit');
       await load('other');`,
    );
    expect(said).toEqual([expect.stringMatching(/low 1\.0\.0 is blocked/), 'other']);
  });

  test('leaves the last list in force that a running process has read', async () => {
    plant();
    const said = await run(
      `await load('other');
       write('low');
       await load('kit');
       console.log(isAvailable('kit'));
       writeFileSync(${JSON.stringify(file)}, '{"blocked": ["ot');
       await load('kit');
       console.log(isAvailable('kit'), isAvailable('other'));
       write();
       await load('kit');`,
    );
    const refused = expect.stringMatching(/low 1\.0\.0 is blocked/);
    expect(said).toEqual(['other', refused, 'false', refused, 'false true', 'kit']);
  });
});
