/** npm runs in staging and reads the .npmrc files that it would read in the core. */
import { chmodSync, chownSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import { startRegistry } from '../support/registry.ts';
import { asPlainUser } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const world = {
  packages: [esmPackage('alpha', '1.0.0', 'alpha')],
  annex: { features: { alpha: '^1.0.0' } },
};
/** The file in which the sandbox names its registry. */
const nowhere = { npm_config_registry: undefined };

describe.concurrent.each(outerNodes)('$label', (node) => {
  test("that of the machine, in npm's prefix", async () => {
    const { sandbox, registry } = await openWorld(world);
    sandbox.write('prefix/etc/npmrc', `registry=${registry.url}\n`);
    const prefix = join(sandbox.root, 'prefix');
    const env = { ...nowhere, npm_config_prefix: prefix, ANNEX_STORE: sandbox.store };
    const { code, stderr } = await sandbox.annex(['install', 'alpha'], { node: node.path, env });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(registry.requests).toContain('GET /alpha/-/alpha-1.0.0.tgz');
  });

  test('that of the user, in a read-only home', async () => {
    const { sandbox, registry } = await openWorld({ ...world, copyAnnex: true });
    sandbox.write('home/.npmrc', `registry=${registry.url}\n`);
    chmodSync(sandbox.home, 0o555);
    const { uid, gid } = asPlainUser;
    if (uid !== undefined) chownSync(dirname(sandbox.store), uid, gid ?? uid);
    const env = { ...nowhere, ANNEX_STORE: sandbox.store };
    const options = { node: node.path, env, ...asPlainUser };
    const { code, stderr } = await sandbox.annex(['install', 'alpha'], options);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(registry.requests).toContain('GET /alpha/-/alpha-1.0.0.tgz');
  });

  test('that of the core, with a relative cafile', async () => {
    const { sandbox } = await openWorld(world);
    const tls = makeCertificate();
    const registry = await startRegistry(world.packages, { tls });
    sandbox.write('app/.npmrc', `registry=${registry.url}\ncafile=certs/ca.pem\n`);
    sandbox.write('app/certs/ca.pem', tls.cert);
    const env = { ...nowhere, ANNEX_STORE: sandbox.store };
    const { code, stderr } = await sandbox.annex(['install', 'alpha'], { node: node.path, env });
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });

  test('that of the core, with a cache directory', async () => {
    const { sandbox } = await openWorld(world);
    sandbox.write('home/.npmrc', 'cache=~/elsewhere\n');
    const env = { npm_config_cache: undefined, ANNEX_STORE: sandbox.store };
    const { code } = await sandbox.annex(['install', 'alpha'], { node: node.path, env });
    expect(code).toBe(0);
    expect(existsSync(join(sandbox.home, 'elsewhere', '_cacache'))).toBe(true);
    expect(existsSync(join(sandbox.home, '.npm'))).toBe(false);
  });
});
