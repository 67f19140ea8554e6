/** A core with old packages and features that need newer ones: the copies that each resolves at run time. */
import { beforeAll, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

/** A package that exports the versions that it resolves of others. */
function seer(name: string, sees: string[], manifest: object): PackageFixture {
  const attempts = sees.map(
    (other) =>
      `${JSON.stringify(other)}: await import('${other}').then((m) => m.marker, (e) => e.code)`,
  );
  return {
    name,
    version: '1.0.0',
    files: { 'index.js': `export const sees = { ${attempts.join(', ')} };` },
    manifest: { type: 'module', exports: './index.js', ...manifest },
  };
}

const PACKAGES = [
  esmPackage('alpha', '1.0.0', 'alpha 1 of the registry'),
  esmPackage('alpha', '2.0.0', 'alpha 2 of the registry'),
  esmPackage('beta', '1.0.0', 'beta 1 of the registry'),
  esmPackage('beta', '2.0.0', 'beta 2 of the registry', { dependencies: { alpha: '^2.0.0' } }),
  seer('old', ['alpha', 'beta'], { dependencies: { alpha: '^1.0.0', beta: '*' } }),
  seer('new-beta', ['alpha', 'beta'], { dependencies: { beta: '^2.0.0' } }),
  esmPackage('gamma', '2.0.0', 'gamma 2 of the registry'),
  seer('new-gamma', ['gamma'], { dependencies: { gamma: '^2.0.0' } }),
  seer('ui', ['alpha'], { peerDependencies: { alpha: '^2.0.0' } }),
  seer('deep', ['alpha', 'ui'], { dependencies: { ui: '*', alpha: '>=1' } }),
  seer('met', ['alpha'], { peerDependencies: { alpha: '^2.0.0' }, dependencies: { ui: '*' } }),
  seer('friend', ['@acme/own', 'alpha'], {
    peerDependencies: { '@acme/own': '^0.1.0', alpha: '^1.0.0' },
  }),
];

const NAMES = ['old', 'new-beta', 'new-gamma', 'deep', 'met', 'friend'];

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry(PACKAGES);
});

const PROGRAM = `
  import { marker } from 'alpha';
  const result = { app: marker };
  for (const name of process.argv.slice(2)) {
    result[name] = await import(name).then(({ sees }) => sees, ({ code, cause }) => code + ' ' + cause?.code);
  }
  console.log(JSON.stringify(result));`;

/** A core that declares alpha 1, has beta 1 and gamma 1 as transitive dependencies, and an unpublished workspace. */
async function open(annex: object = {}): Promise<Sandbox> {
  const sandbox = await createSandbox({ registry });
  const features = Object.fromEntries(NAMES.map((name) => [name, '^1.0.0']));
  const dependencies = { alpha: '^1.0.0', holder: '*', '@acme/own': '*' };
  sandbox.setCore({ features, ...annex }, { dependencies, overrides: { alpha: '2.0.0' } });
  for (const one of [
    esmPackage('alpha', '1.0.0', 'alpha of core'),
    esmPackage('beta', '1.0.0', 'beta of core'),
    esmPackage('holder', '7.0.0', 'never published either', {
      dependencies: { beta: '^1.0.0', gamma: '^1.0.0' },
    }),
    esmPackage('gamma', '1.0.0', 'gamma of core'),
    esmPackage('@acme/own', '0.1.0', 'own of core'),
  ]) {
    sandbox.addPackage('app/node_modules', one);
  }
  sandbox.write('app/main.mjs', PROGRAM);
  return sandbox;
}

const FAILED = 'ERR_MODULE_NOT_FOUND ANNEX_CONFLICT';

describe.concurrent.each(nodes)('$label', ({ path: node }) => {
  const run = async (sandbox: Sandbox, names: string[]) => {
    const env = { ANNEX_STORE: sandbox.store };
    const args = ['--import', sandbox.loader, 'main.mjs', ...names];
    const { stdout, stderr } = await sandbox.run(args, { node, env });
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout);
  };

  test('"fail": fitting packages are core\'s own, incidental ones private, the rest unavailable', async () => {
    const sandbox = await open();
    const asked = registry.requests.length;
    expect(await run(sandbox, ['old', 'new-beta', 'new-gamma', 'friend', 'met'])).toEqual({
      app: 'alpha of core',
      old: { alpha: 'alpha of core', beta: 'beta of core' },
      'new-beta': FAILED,
      'new-gamma': { gamma: 'gamma 2 of the registry' },
      friend: { '@acme/own': 'own of core', alpha: 'alpha of core' },
      met: FAILED,
    });
    const requests = registry.requests.slice(asked).map((line) => line.split('/')[1]);
    expect(requests).not.toContain('holder');
  });

  test('"nest": private copies for the feature alone, never of packages that the application uses with it', async () => {
    const sandbox = await open({ conflicts: 'nest' });
    expect(await run(sandbox, ['new-beta', 'deep', 'met'])).toEqual({
      app: 'alpha of core',
      'new-beta': { alpha: 'alpha 2 of the registry', beta: 'beta 2 of the registry' },
      deep: { alpha: 'alpha 2 of the registry' },
      met: FAILED,
    });
  });

  test('annex lock and annex install list every edge, with a hint', async () => {
    const sandbox = await open();
    const env = { ANNEX_STORE: sandbox.store };
    const reason =
      'met 1.0.0 wants alpha ^2.0.0 (peer), and core ships 1.0.0; ui 1.0.0 wants alpha ^2.0.0 (peer), and core ships 1.0.0';
    const install = await sandbox.annex(['install', 'met'], { node, env });
    expect(install).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) });
    const lock = await sandbox.annex(['lock', 'met', 'friend'], { node, env });
    expect(lock.code).toBe(1);
    expect(lock.stderr).toContain(reason);
    expect(lock.stderr).toContain('change alpha of the core to a version that fits');
    expect(lock.stderr).not.toContain('"conflicts": "nest"');
    expect(lock.stderr.split('\n').slice(1)).toEqual([
      'dependent  dependency  range   kind  found',
      'met 1.0.0  alpha       ^2.0.0  peer  core 1.0.0',
      'ui 1.0.0   alpha       ^2.0.0  peer  core 1.0.0',
      '',
    ]);
    expect(lock.stdout).toContain('friend: locked');
    const check = await sandbox.annex(['lock', '--check', 'friend'], { node, env });
    expect(check).toMatchObject({ code: 0, stdout: 'friend: locked\n', stderr: '' });
  });
});
