/** An entry that `annex prune` has retired is used again by who needs it: the rollback of a rollout needs no registry. */
import { appendFileSync, chmodSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { listEntries, lock } from '../support/lock-files.ts';
import { outerNodes } from '../support/nodes.ts';
import { setRetired } from '../support/prune-world.ts';
import { openWorld } from '../support/world.ts';

const packages = ['alpha', 'beta', 'gamma'].map((name) => esmPackage(name, '1.0.0', `${name} 1`));
const features = { alpha: '^1.0.0', beta: '^1.0.0', gamma: '^1.0.0' };

describe.each(outerNodes)('$label', (node) => {
  /** Two versions of an application: the later one has another lock of alpha, and no beta. It has pruned their store. */
  async function open({ isLocked = true } = {}) {
    const world = await openWorld({ packages, annex: { features }, node: node.path });
    const { sandbox, registry } = world;
    const ANNEX_CONFIG = sandbox.write('quick.json', { durability: 'none' });
    const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG };
    const annex = (...args: string[]) => sandbox.annex(args, { env });
    if (isLocked) await lock(sandbox);
    expect((await annex('install', 'alpha', 'beta')).code).toBe(0);
    const [alpha = '', beta = ''] = listEntries(sandbox);
    await registry.add(esmPackage('alpha', '1.1.0', 'alpha 2'));
    await sandbox.exec('cp', ['-r', sandbox.core, '../old']);
    sandbox.setCore({ features: { alpha: '^1.1.0' } });
    await sandbox.exec('rm', ['-rf', 'annex']);
    if (isLocked) await lock(sandbox);
    expect((await annex('install', '--all')).code).toBe(0);
    const pruned = await annex('prune', '--days', '0');
    expect(pruned.stdout).toMatch(/2 retired .*1 kept/);
    await sandbox.exec('rm', ['-r', 'annex', 'package.json']);
    await sandbox.exec('cp', ['-r', '../old/.', '.']);
    const load = (more = {}, names = ['alpha', 'beta']) =>
      importIn(sandbox, names, { env: { ...env, ...more } });
    return { ...world, annex, alpha, beta, load };
  }

  test.each([[true], [false]])(
    'the earlier version restores its entries without a request, locked: %s',
    async (isLocked) => {
      const { sandbox, registry, annex, load, alpha, beta } = await open({ isLocked });
      const before = [alpha, beta].map((dir) => sandbox.digest(dir));
      if (!isLocked) sandbox.setCore({ features: { ...features, alpha: '1.0.0' } });
      await registry.stop();
      const { imported, lines } = await load();
      expect(imported).toMatchObject({ alpha: { marker: 'alpha 1' }, beta: { marker: 'beta 1' } });
      expect(lines).toEqual(
        [alpha, beta].map(
          (dir) =>
            `annex: restored ${basename(dir).split('.')[0]}: ${dir} was retired, and is used again`,
        ),
      );
      expect((await load()).lines).toEqual([]);
      expect([alpha, beta].map((dir) => sandbox.digest(dir))).toEqual(before);
      const listed = JSON.parse((await annex('store', 'ls', '--json')).stdout).entries;
      expect(listed.map(({ state }: { state: string }) => state)).not.toContain('retired');
    },
  );

  test('a remembered failure of the registry does not prevent it; switched off installs do', async () => {
    const { registry, annex, load } = await open();
    await registry.stop();
    const off = await load({ ANNEX_ALLOW_INSTALLS: '0' });
    expectRefused(off.imported.alpha, 'ANNEX_DENIED', /ANNEX_ALLOW_INSTALLS/);
    expect((await annex('install', 'gamma')).code).toBe(1);
    const { imported } = await load({}, ['gamma', 'alpha']);
    expectRefused(imported.gamma, 'ANNEX_OFFLINE', /Next try at/);
    expect(imported.alpha?.marker).toBe('alpha 1');
    const { results } = JSON.parse((await annex('refresh', '--json')).stdout);
    expect(results).toMatchObject([
      { feature: 'alpha', outcome: 'current' },
      { feature: 'beta', outcome: 'restored' },
    ]);
  });

  test('one that is damaged, or is about to be removed, is installed again', async () => {
    const world = await open();
    const { sandbox, registry, annex, load, alpha, beta } = world;
    const file = join(alpha, 'node_modules/alpha/index.js');
    chmodSync(file, 0o644);
    appendFileSync(file, '// changed\n');
    setRetired(world, beta, 23.5);
    registry.requests.length = 0;
    const { imported, stderr } = await load();
    expect(imported).toMatchObject({ alpha: { marker: 'alpha 1' }, beta: { marker: 'beta 1' } });
    expect(stderr).toContain(`${alpha} is damaged: node_modules/alpha/index.js`);
    expect(stderr).not.toContain('restored');
    expect(registry.requests.filter((line) => line.endsWith('.tgz'))).toHaveLength(2);
    const dirs = listEntries(sandbox);
    expect(dirs).toContain(alpha.replace(/0$/, '1'));
    expect(dirs).toContain(beta.replace(/0$/, '1'));
    const listed = JSON.parse((await annex('store', 'ls', '--json')).stdout).entries;
    const stateOf = (dir: string) => listed.find((one: { dir: string }) => one.dir === dir)?.state;
    expect([stateOf(alpha), stateOf(beta)]).toEqual(['retired', 'retired']);
  });
});
