/** G6: registry and npm failures: one line, the right code, no debris, no secret. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { shareBinary } from '../support/binary.ts';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, FORM, importIn } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { writeNpm } from '../support/npm.ts';
import { packFixture } from '../support/package.ts';
import { canListProcesses, listProcessesIn } from '../support/processes.ts';
import type { Fault, PackageFixture, Registry } from '../support/registry.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { openWorld, type World } from '../support/world.ts';

/** Secrets that must not be on stderr, in an error or in a store. */
const SECRETS = {
  NPM_TOKEN: 'tok-5ecret-0f-the-registry',
  SECRET: 'app-5ecret-0f-the-application',
  PASSWORD: 'pw-5ecret-0f-the-url',
};

/** An application whose registry requires a token, which its .npmrc reads from the environment. */
async function open(...others: PackageFixture[]): Promise<World> {
  const packages = [esmPackage('beta', '1.0.0', 'from-registry'), ...others];
  const newer = { packages: { beta2: '^9.0.0' } };
  const annex = { features: { beta: '^1.0.0', gone: '^1.0.0', newer } };
  const world = await openWorld({ packages, annex });
  const host = world.registry.url.replace('http:', '');
  world.sandbox.write('app/.npmrc', `${host}/:_authToken=\${NPM_TOKEN}\n`);
  return world;
}

interface Case {
  title: string;
  prepare?: (registry: Registry) => unknown;
  fault?: Fault;
  match?: RegExp;
  /** `beta` by default. */
  name?: string;
  packages?: PackageFixture[];
  code: string;
  reason: RegExp;
}

/** A package published under a name, with another package in its tarball. */
const swapped = (name: string, other: string): PackageFixture => ({
  ...esmPackage(name, '1.0.0', 'x'),
  tarball: packFixture(esmPackage(other, '1.0.0', 'x')).tarball,
});

const status = (code: number): Fault => ({ kind: 'status', status: code });

const cases: Case[] = [
  {
    title: 'a registry that is down',
    prepare: (registry) => registry.stop(),
    code: 'ANNEX_OFFLINE',
    reason: /ECONNREFUSED/,
  },
  { title: 'the package is unknown', name: 'gone', code: 'ANNEX_INSTALL_FAILED', reason: /E404/ },
  {
    title: 'no version in the range',
    name: 'newer',
    packages: [esmPackage('beta2', '1.0.0', 'old')],
    code: 'ANNEX_INSTALL_FAILED',
    reason: /ETARGET.*beta2@\^9\.0\.0/,
  },
  {
    title: 'a missing tarball',
    fault: status(404),
    match: /\.tgz$/,
    code: 'ANNEX_INSTALL_FAILED',
    reason: /registry 127\.0\.0\.1:\d+ answered 404 for beta@1\.0\.0/,
  },
  {
    title: 'a rejected token',
    fault: status(401),
    code: 'ANNEX_INSTALL_FAILED',
    reason: /E401/,
  },
  { title: 'access is refused', fault: status(403), code: 'ANNEX_INSTALL_FAILED', reason: /E403/ },
  { title: 'the registry is broken', fault: status(500), code: 'ANNEX_OFFLINE', reason: /E500/ },
  {
    title: 'a registry with a rate limit of an hour',
    fault: { kind: 'status', status: 429, headers: { 'retry-after': '3600' } },
    code: 'ANNEX_OFFLINE',
    reason: /E429/,
  },
  {
    title: 'a truncated response',
    fault: { kind: 'cut' },
    code: 'ANNEX_OFFLINE',
    reason: /ECONNRESET/,
  },
  {
    title: 'a truncated tarball',
    fault: { kind: 'cut' },
    match: /\.tgz$/,
    code: 'ANNEX_OFFLINE',
    reason: /ECONNRESET/,
  },
  {
    title: 'a tarball that differs from its digest',
    fault: { kind: 'wrong-digest' },
    code: 'ANNEX_INTEGRITY',
    reason: /beta@1\.0\.0: .* sent \d+ bytes with sha512-\S+, locked is sha512-/,
  },
  {
    title: 'a tarball of another package',
    name: 'gone',
    packages: [swapped('gone', 'other')],
    code: 'ANNEX_INSTALL_FAILED',
    reason: /the package.json in the tarball of gone has the name other/,
  },
];

/** Expects a store to have only its directories and the remembered failures of the feature and host. */
function expectNoDebris(store: string, feature: string, host?: string): void {
  const list = (name: string) => readdirSync(join(store, 'v1', name));
  const top = readdirSync(join(store, 'v1')).filter((name) => !name.startsWith('node'));
  expect(top).toEqual(['any', 'failures', 'locks', 'retired', 'staging']);
  for (const name of ['any', 'locks', 'retired', 'staging']) expect(list(name)).toEqual([]);
  const hosts = host === undefined ? [] : [`@${encodeURIComponent(host)}.json`];
  expect(list('failures')).toEqual([...hosts, `${feature}.json`]);
}

/** Expects no secret in output or in the store. */
async function expectNoSecret(sandbox: Sandbox, said: object): Promise<void> {
  for (const secret of Object.values(SECRETS)) {
    expect(JSON.stringify(said)).not.toContain(secret);
    const found = await sandbox.exec('grep', ['-rlF', secret, sandbox.store, sandbox.home]);
    expect(found.stdout).toBe('');
  }
}

/** Runs with this script as npm. */
async function runWithNpm(node: string, mode: number, script: string) {
  const { sandbox } = await open();
  const lonely = shareBinary(node, join(sandbox.root, 'nodes'));
  const PATH = writeNpm(sandbox, script, mode);
  const env = { ...SECRETS, ANNEX_STORE: sandbox.store, PATH };
  return { sandbox, ...(await importIn(sandbox, ['beta'], { node: lonely, env })) };
}

describe.concurrent.each(outerNodes)('$label', (node) => {
  for (const one of cases) {
    test(one.title, async () => {
      const { registry, sandbox } = await open(...(one.packages ?? []));
      if (one.fault !== undefined) registry.fault(one.fault, one.match);
      await one.prepare?.(registry);
      const name = one.name ?? 'beta';
      const core = sandbox.digest('app/node_modules');
      const env = { ...SECRETS, ANNEX_STORE: sandbox.store };
      const specifier = name === 'newer' ? 'beta2' : name;
      const ran = await importIn(sandbox, [specifier], { node: node.path, env });
      expectRefused(ran.imported[specifier], one.code, one.reason, name);
      expect(ran.lines).toEqual([
        expect.stringMatching(new RegExp(`^annex: installing ${name} `)),
        expect.stringMatching(FORM),
      ]);
      expect(ran.lines[1]).toContain(`(${one.code})`);
      const host = one.code === 'ANNEX_OFFLINE' ? new URL(registry.url).host : undefined;
      expectNoDebris(sandbox.store, name, host);
      expect(sandbox.digest('app/node_modules')).toEqual(core);
      await expectNoSecret(sandbox, ran);
      for (const sent of registry.authorizations) expect(sent).toBe(`Bearer ${SECRETS.NPM_TOKEN}`);
    });
  }

  test('a registry that hangs: the install and its processes are ended at the time limit of the operator', async () => {
    const { registry, sandbox } = await open();
    registry.fault({ kind: 'hang' });
    const file = sandbox.write('operator.json', { timeout: 3 });
    const env = { ...SECRETS, ANNEX_STORE: sandbox.store, ANNEX_CONFIG: file };
    const ran = await importIn(sandbox, ['beta'], { node: node.path, env });
    expectRefused(ran.imported.beta, 'ANNEX_TIMEOUT', /took longer than 3 s/, 'beta');
    expect(ran.lines).toHaveLength(2);
    expect(ran.ms).toBeGreaterThan(3_000);
    expectNoDebris(sandbox.store, 'beta');
    await expectNoSecret(sandbox, ran);
    if (canListProcesses) expect(listProcessesIn(sandbox.root)).toEqual([]);
  });

  test('a password in the URL of the registry is used and never printed', async () => {
    const { registry, sandbox } = await open();
    sandbox.write('app/.npmrc', '');
    const url = registry.url.replace('//', `//me:${SECRETS.PASSWORD}@`);
    const env = { ...SECRETS, ANNEX_STORE: sandbox.store, npm_config_registry: url };
    registry.fault(status(500));
    const failed = await importIn(sandbox, ['beta'], { node: node.path, env });
    expectRefused(failed.imported.beta, 'ANNEX_OFFLINE', /E500/);
    await expectNoSecret(sandbox, failed);
    registry.fault(undefined);
    const retried = await sandbox.annex(['install', 'beta'], { node: node.path, env });
    expect(retried.code).toBe(0);
    await expectNoSecret(sandbox, retried);
    const basic = Buffer.from(`me:${SECRETS.PASSWORD}`).toString('base64');
    expect(registry.authorizations).toContain(`Basic ${basic}`);
  });

  test('a machine without npm', async () => {
    const { sandbox } = await open();
    const lonely = shareBinary(node.path, join(sandbox.root, 'nodes'));
    const env = { ...SECRETS, ANNEX_STORE: sandbox.store, PATH: '/nowhere' };
    const { imported, lines } = await importIn(sandbox, ['beta'], { node: lonely, env });
    expectRefused(imported.beta, 'ANNEX_INSTALL_FAILED', /npm is not on the PATH/, 'beta');
    expect(imported.beta?.cause?.hint).toMatch(/npm on the PATH/);
    expect(lines).toHaveLength(2);
    expectNoDebris(sandbox.store, 'beta');
  });

  test.for([
    ['may not be run', 0o644, 'true', /npm cannot be run: EACCES/],
    ['is broken', 0o755, 'echo "npm: broken; token=$NPM_TOKEN" >&2; exit 3', /broken/],
    ['leaves without a word', 0o755, 'kill -9 $$', /SIGKILL/],
    ['does nothing', 0o755, 'exit 0', /npm left no package-lock.json/],
    [
      'leaves a partial package',
      0o755,
      '/bin/mkdir -p node_modules/beta',
      /npm left no package-lock.json/,
    ],
  ] as const)('an npm that %s', async ([, mode, script, reason]) => {
    const { sandbox, ...ran } = await runWithNpm(node.path, mode, script);
    expectRefused(ran.imported.beta, 'ANNEX_INSTALL_FAILED', reason, 'beta');
    expect(ran.lines).toHaveLength(2);
    expectNoDebris(sandbox.store, 'beta');
    await expectNoSecret(sandbox, ran);
  });
});
