/** A registry that refuses credentials: the message names the unset variable, and another token is tried at once. */
import { expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { lock, node } from '../support/lock-files.ts';
import { openWorld } from '../support/world.ts';

const open = async () => {
  const packages = [esmPackage('kit', '1.0.0', 'kit')];
  const annex = { features: { kit: '^1.0.0' } };
  const world = await openWorld({ packages, annex, node: node.path });
  const { sandbox, registry } = world;
  const { host } = new URL(registry.url);
  const npmrc = sandbox.write('app/.npmrc', `//${host}/:_authToken=\${TOKEN}\n`);
  const load = async (env: Record<string, string> = {}) => {
    const { imported } = await importIn(sandbox, ['kit'], {
      env: { ANNEX_STORE: sandbox.store, ...env },
    });
    return imported.kit;
  };
  return { ...world, npmrc, load };
};

test.each(['locked', 'not locked'])(
  'a feature that is %s: a variable that is not set is named, and once it is set it is tried at once',
  async (how) => {
    const { sandbox, registry, npmrc, load } = await open();
    if (how === 'locked') await lock(sandbox);
    registry.fault({ kind: 'status', status: 401 });
    const said = new RegExp(`401.*; ${npmrc} refers to TOKEN, which is not set`);
    const refused = await load();
    expectRefused(refused, 'ANNEX_INSTALL_FAILED', said, 'kit');
    expect(refused?.cause?.hint).toMatch(/^set TOKEN, or give npm a valid token .*, then /);
    expect(registry.authorizations.at(-1)).toMatch(/^Bearer \$\{TOKEN\}$/);
    registry.fault(undefined);
    expectRefused(await load(), 'ANNEX_INSTALL_FAILED', /refers to TOKEN.*Next try/, 'kit');
    expect((await load({ TOKEN: 't0ken' }))?.marker).toBe('kit');
    expect(registry.authorizations.at(-1)).toBe('Bearer t0ken');
  },
);

test('another token is tried at once, and the first one is not retried', async () => {
  const { registry, load } = await open();
  registry.fault({ kind: 'status', status: 403 });
  const refused = await load({ TOKEN: 'stale' });
  expectRefused(refused, 'ANNEX_INSTALL_FAILED', /E403/, 'kit');
  expect(refused?.cause?.hint).toMatch(/^give npm a valid token/);
  registry.fault(undefined);
  expectRefused(await load({ TOKEN: 'stale' }), 'ANNEX_INSTALL_FAILED', /Next try/, 'kit');
  expect((await load({ TOKEN: 'fresh' }))?.marker).toBe('kit');
});

test('annex lock names the unset variable as well', async () => {
  const { sandbox, registry, npmrc } = await open();
  registry.fault({ kind: 'status', status: 401 });
  const { code, stderr } = await sandbox.annex(['lock']);
  expect(code).toBe(1);
  expect(stderr).toContain(`${npmrc} refers to TOKEN, which is not set (ANNEX_INSTALL_FAILED)`);
  expect(stderr).toMatch(/Now: set TOKEN, or give npm a valid token/);
});
