/** Blocked releases are not installed or loaded, the error says why, and other features keep working. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  annex,
  block,
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
import { expectRefused, importIn } from '../support/importer.ts';
import { copyLocks } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';

describe.each([['locked'], ['not locked']])('an installed feature that is %s', (how) => {
  beforeEach(async () => {
    if (how === 'locked') copyLocks(locked, sandbox);
    else plant();
    expect(await load(['kit', 'other'])).toMatchObject({
      kit: { marker: 'kit' },
      other: { marker: 'other' },
    });
  });

  test('alone is unavailable while a package of it is blocked, and needs no download afterwards', async () => {
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
    expect(why.stdout.replace(/\s+/g, ' ')).toMatch(new RegExp(`lost: 1.0.0 in .*: ${said}`));
    expect(tarballs()).toHaveLength(before);
    block();
    await registry.stop();
    expect((await load(['kit'])).kit?.marker).toBe('kit');
  });

  test('is reported as blocked even if installs are off', async () => {
    block('low');
    const env = { ANNEX_ALLOW_INSTALLS: 'off' };
    const { kit } = await load(['kit'], { env });
    expectRefused(kit, 'ANNEX_DENIED', /low 1\.0\.0 is blocked/, 'kit');
    const { stdout } = await sandbox.annex(['refresh'], withEnv({ env }));
    expect(stdout).toMatch(/^kit: skipped \(ANNEX_DENIED\): low 1\.0\.0 is blocked/m);
  });

  test('is not tried if its lock has the blocked release, and otherwise once, however often it is requested', async () => {
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

describe.each(nodes)('$label', (one) => {
  const options = { node: one.path };

  test('a new list applies in a process that has not used the feature yet; one that has used it keeps it', async () => {
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
