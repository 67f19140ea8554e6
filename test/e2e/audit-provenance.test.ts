/** `annex audit signatures`: the provenance of locked tarballs, verified and recorded. */
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node, readLock } from '../support/lock-files.ts';
import { findNpm } from '../support/npm.ts';
import { makeSigner } from '../support/signing.ts';
import { makeSigstore, plantTrust } from '../support/sigstore.ts';

const open = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { '@acme/part': '*' }),
    esmPackage('@acme/part', '2.0.0', 'part'),
  ],
  annex: {},
  prepare: (sandbox) => sandbox.setCore({ features: { kit: '^1.0.0' } }),
});

const PART = 'node_modules/@acme/part';
const KIT = 'node_modules/kit';
const repository = 'https://github.com/acme/part';
const commit = '0123456789abcdef0123456789abcdef01234567';
const source = { repository, commit };
const sigstore = makeSigstore();

/** A locked application whose registry has provenance of @acme/part. */
async function openAttested() {
  const world = await open();
  const { sandbox, registry } = world;
  const cache = join(sandbox.root, 'npm-cache-own');
  plantTrust(cache, sigstore);
  registry.signer = makeSigner();
  const serve = (changes: object = {}) => {
    registry.attest = (id, integrity) =>
      id.startsWith('@acme/part@')
        ? [sigstore.attest({ id, integrity, ...source, ...changes })]
        : undefined;
  };
  serve();
  const audit = async (env: Record<string, string> = {}) => {
    const args = ['audit', 'signatures', '--json'];
    const { code, stdout, stderr } = await sandbox.annex(args, { env });
    const { signatures = [] } = JSON.parse(stdout);
    const [part, kit] = signatures;
    return { code, stderr, part, kit };
  };
  const check = () => sandbox.annex(['lock', '--check', '--online']);
  const record = (path = PART) => readLock(sandbox, 'kit').sidecar.packages[path];
  return { ...world, cache, serve, audit, check, record };
}

describe(node.label, () => {
  test('valid provenance is printed and recorded in the lock, which stays valid', async () => {
    const { sandbox, audit, check, record } = await openAttested();
    expect(await sandbox.annex(['audit', 'signatures'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: [
        'package     version  signature  provenance                            why',
        '@acme/part  2.0.0    verified   https://github.com/acme/part 0123456',
        'kit         1.0.0    verified   none',
        '',
      ].join('\n'),
    });
    expect(record()).toMatchObject({ provenance: source });
    expect(record(KIT)).not.toHaveProperty('provenance');
    expect(await audit()).toMatchObject({
      part: { provenance: { state: 'verified', source } },
      kit: { provenance: { state: 'none' } },
    });
    expect(await check()).toMatchObject({
      code: 0,
      stdout: 'kit: locked; recorded signatures verified: 2 of 2, provenance: 1\n',
      stderr: '',
    });
  });

  test('a registry without signing keys can have provenance', async () => {
    const { registry, audit, record } = await openAttested();
    registry.signer = undefined;
    expect(await audit()).toMatchObject({ code: 0, part: { state: 'no keys' } });
    expect(record()).toMatchObject({ provenance: source });
  });

  test.each([
    ['verified', {}, 'verified'],
    ['invalid', { integrity: `sha512-${'A'.repeat(86)}==` }, 'EATTESTATIONSUBJECT'],
    ['invalid', { id: '@acme/part@2.0.1' }, 'EATTESTATIONSUBJECT'],
  ])("npm's own code comes to the same answer: %s %j", async (state, changes, answer) => {
    const { sandbox, registry, cache, serve, audit, record } = await openAttested();
    serve(changes);
    const { manifest } = createRequire(realpathSync(findNpm()))('pacote');
    const byNpm = await manifest('@acme/part@2.0.0', {
      registry: registry.url,
      cache: join(sandbox.root, 'cache'),
      tufCache: join(cache, '_tuf'),
      verifyAttestations: true,
      fullMetadata: true,
    }).then(
      () => 'verified',
      ({ code }: { code: string }) => code,
    );
    expect(byNpm).toBe(answer);
    const { code, part } = await audit();
    expect({ code, state: part.provenance.state }).toEqual({
      code: state === 'verified' ? 0 : 1,
      state,
    });
    expect(Object.hasOwn(record() ?? {}, 'provenance')).toBe(state === 'verified');
  });

  test('what cannot be verified is said in one line, fails, and is not recorded', async () => {
    const { sandbox, registry, cache, audit, record } = await openAttested();
    sandbox.write(join(cache, '_tuf/tuf-repo-cdn.sigstore.dev/timestamp.json'), '{}');
    const offline = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1' };
    const unreachable = await audit(offline);
    expect(unreachable).toMatchObject({
      code: 1,
      part: { state: 'verified', provenance: { state: 'not verified' } },
    });
    expect(unreachable.stderr).toMatch(
      /^annex: provenance not verified: .*tuf-repo-cdn\.sigstore\.dev.* \(@acme\/part 2\.0\.0\)\. Now: run this command where npm audit signatures works\n$/,
    );
    registry.fault({ kind: 'status', status: 404 }, /attestations/);
    expect(await audit()).toMatchObject({
      code: 1,
      stderr:
        'annex: provenance not verified: the registry lists attestations and does not serve them (@acme/part 2.0.0). Now: run this command where npm audit signatures works\n',
    });
    expect(record()).toHaveProperty('signature');
    expect(record()).not.toHaveProperty('provenance');
  });

  test.each([[['audit', 'signatures']], [['lock', '--check', '--online']]])(
    '%j ends at the time limit while npm waits for the root of trust',
    async (args) => {
      const { sandbox, cache, audit } = await openAttested();
      expect(await audit()).toMatchObject({ code: 0 });
      sandbox.write(join(cache, '_tuf/tuf-repo-cdn.sigstore.dev/timestamp.json'), '{}');
      let connections = 0;
      const silent = createServer(() => {
        connections += 1;
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void silent.close());
      await once(silent, 'listening');
      const env = {
        HTTPS_PROXY: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
        NO_PROXY: '127.0.0.1',
        ANNEX_CONFIG: sandbox.write('operator.json', { timeout: 2 }),
      };
      const { code, stdout, stderr } = await sandbox.annex(args, { env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^annex: it took longer than 2 s \(ANNEX_TIMEOUT\)/);
      // The library connects again after 5 s: by then the command has ended.
      expect(connections).toBeLessThan(2);
    },
  );

  test('lock --check --online verifies recorded provenance again', async () => {
    const { sandbox, registry, serve, audit, check } = await openAttested();
    await audit();
    const problem = async () => {
      const { code, stderr } = await check();
      expect(code).toBe(1);
      return stderr;
    };
    const remedy = 'Now: npx annex audit signatures kit\n';
    serve({ commit: 'f'.repeat(40) });
    expect(await problem()).toBe(
      `annex: kit: the provenance of @acme/part 2.0.0 is ${repository} ${'f'.repeat(40)}, and the lock records ${repository} ${commit}. ${remedy}`,
    );
    serve({ id: 'other@1.0.0' });
    expect(await problem()).toContain(
      'is invalid: the provenance is not of the locked tarball. Now:',
    );
    registry.attest = () => [];
    expect(await problem()).toContain('the provenance of @acme/part 2.0.0 is missing. Now:');
    registry.attest = undefined;
    expect(await problem()).toContain('is not verified: the registry lists attestations');
    const { sidecar } = readLock(sandbox, 'kit');
    const record = { ...sidecar.packages[PART], provenance: { repository: 'file:///', commit } };
    const packages = { ...sidecar.packages, [PART]: record };
    sandbox.write('app/annex/kit/annex.json', { ...sidecar, packages });
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not as annex wrote it'),
    });
  });

  test('another repository than that of the previous version is shown once', async () => {
    const { sandbox, registry, serve, audit, record } = await openAttested();
    await audit();
    await registry.add(esmPackage('@acme/part', '2.1.0', 'part'));
    const formerly = { version: '2.0.0', repository };
    await lock(sandbox);
    expect(record()).toMatchObject({ provenance: source });
    expect(await sandbox.annex(['update', 'kit'])).toMatchObject({ code: 0 });
    expect(record()).not.toHaveProperty('provenance');
    expect(record()).toMatchObject({ formerly });

    const { attest } = registry;
    registry.attest = undefined;
    expect(await audit()).toMatchObject({ code: 0, part: { version: '2.1.0', formerly } });
    expect(record()).toMatchObject({ formerly });
    registry.attest = attest;

    serve({ repository: 'https://github.com/mallory/part' });
    const { code, stdout } = await sandbox.annex(['audit', 'signatures']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^@acme\/part +2\.1\.0 +verified +https:\/\/github\.com\/mallory\/part 0123456 +2\.0\.0 was built from https:\/\/github\.com\/acme\/part$/m,
    );
    const again = await audit();
    expect(again.part).not.toHaveProperty('formerly');
    expect(record()).not.toHaveProperty('formerly');
  });
});
