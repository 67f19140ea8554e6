/** `annex audit signatures`: the registry's signatures of locked tarballs, verified and recorded. */
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { lock, lockBefore, node, readLock } from '../support/lock-files.ts';
import { findNpm } from '../support/npm.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { makeSigner } from '../support/signing.ts';

const common = esmPackage('common', '1.2.0', 'common');
const open = lockBefore({
  packages: [
    dependentPackage('kit', '1.0.0', 'kit', { common: '^1.0.0', '@acme/part': '*' }),
    common,
    esmPackage('@acme/part', '2.0.0', 'part'),
  ],
  annex: {},
  prepare: (sandbox) => {
    sandbox.setCore({ features: { kit: '^1.0.0' } }, { dependencies: { common: '*' } });
    sandbox.addPackage(join(sandbox.core, 'node_modules'), common);
  },
});

const audit = async (sandbox: Sandbox, ...args: string[]) => {
  const { code, stdout, stderr } = await sandbox.annex(['audit', 'signatures', '--json', ...args]);
  const { signatures, error } = JSON.parse(stdout);
  return { code, stderr, signatures, error };
};

const PART = 'node_modules/@acme/part';

describe(node.label, () => {
  test('valid signatures are printed and recorded in the lock, which stays valid', async () => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    const before = readLock(sandbox, 'kit');
    const { code, stdout, stderr } = await sandbox.annex(['audit', 'signatures']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'package     version  signature  provenance  why',
        '@acme/part  2.0.0    verified   none',
        'kit         1.0.0    verified   none',
        '',
      ].join('\n'),
    );
    const { sidecar } = readLock(sandbox, 'kit');
    const integrity = before.packages[PART]?.integrity ?? '';
    const [{ keyid } = { keyid: '' }] = registry.signer.sign('@acme/part@2.0.0', integrity);
    const signature = { keyid, sig: expect.any(String) };
    expect(sidecar).toEqual({
      ...before.sidecar,
      packages: {
        [PART]: { ...before.sidecar.packages[PART], signature },
        'node_modules/kit': { ...before.sidecar.packages['node_modules/kit'], signature },
      },
    });
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0, stderr: '' });
    expect((await audit(sandbox, 'kit')).signatures).toMatchObject([
      { name: '@acme/part', version: '2.0.0', state: 'verified', signature },
      { name: 'kit', version: '1.0.0', state: 'verified', signature },
    ]);
  });

  test.each([
    [{}, 'verified'],
    [{ wrong: ['kit@1.0.0'] }, 'EINTEGRITYSIGNATURE'],
    [{ expires: '2019-01-01T00:00:00.000Z' }, 'EEXPIREDSIGNATUREKEY'],
    [{ expires: '2021-01-01T00:00:00.000Z' }, 'verified'],
  ])("npm's own code comes to the same answer: %j", async (faults, answer) => {
    const { sandbox, registry } = await open();
    const signer = makeSigner(faults);
    registry.signer = signer;
    const { manifest } = createRequire(realpathSync(findNpm()))('pacote');
    const keys = signer.keys.map((one) => ({
      ...one,
      pemkey: `-----BEGIN PUBLIC KEY-----\n${(one as { key: string }).key}\n-----END PUBLIC KEY-----`,
    }));
    const settings = {
      ...{ registry: registry.url, cache: join(sandbox.root, 'cache'), verifySignatures: true },
      [`//${new URL(registry.url).host}/:_keys`]: keys,
    };
    const byNpm = await manifest('kit@1.0.0', { ...settings, fullMetadata: true }).then(
      () => 'verified',
      ({ code }: { code: string }) => code,
    );
    expect(byNpm).toBe(answer);
    const { signatures } = await audit(sandbox);
    const { state } = signatures.find(({ name }: { name: string }) => name === 'kit');
    expect(state).toBe(answer === 'verified' ? 'verified' : 'invalid');
  });

  test('locking again keeps the signatures of packages that are the same', async () => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    await audit(sandbox);
    const { sidecar } = readLock(sandbox, 'kit');
    await registry.add(esmPackage('more', '1.0.0', 'more'));
    const packages = { kit: '^1.0.0', more: '*' };
    sandbox.setCore({ features: { kit: { packages } } }, { dependencies: { common: '*' } });
    await lock(sandbox);
    const after = readLock(sandbox, 'kit').sidecar.packages;
    expect(after).toMatchObject(sidecar.packages);
    expect(after['node_modules/more']).not.toHaveProperty('signature');
  });

  test.each([
    ['a signature of other bytes', { wrong: ['kit@1.0.0'] }, 'invalid', /is not of the locked/],
    ['a missing signature', { unsigned: ['kit@1.0.0'] }, 'missing', /^$/],
  ])('%s fails, and is not recorded', async (_, faults, state, reason) => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner(faults);
    const { code, signatures } = await audit(sandbox);
    expect(code).toBe(1);
    const [part, kit] = signatures;
    expect(part).toMatchObject({ state: 'verified' });
    expect(kit).toMatchObject({ name: 'kit', state });
    expect(kit.reason ?? '').toMatch(reason);
    const { packages } = readLock(sandbox, 'kit').sidecar;
    expect(packages[PART]).toHaveProperty('signature');
    expect(packages['node_modules/kit']).not.toHaveProperty('signature');
  });

  test('a key counts for what was published before it expired', async () => {
    const { sandbox, registry } = await open();
    // The packages are of 2020.
    registry.signer = makeSigner({ expires: '2019-01-01T00:00:00.000Z' });
    const expired = await audit(sandbox);
    expect(expired.code).toBe(1);
    expect(expired.signatures[0]).toMatchObject({
      state: 'invalid',
      reason: expect.stringMatching(/^the key SHA256:\S+ had expired when it was published$/),
    });
    registry.signer = makeSigner({ expires: '2021-01-01T00:00:00.000Z' });
    expect(await audit(sandbox)).toMatchObject({
      code: 0,
      signatures: [{ state: 'verified' }, {}],
    });
  });

  test('a signature by a key that the registry does not serve is invalid', async () => {
    const { sandbox, registry } = await open();
    registry.signer = { ...makeSigner(), keys: makeSigner().keys };
    const { code, signatures } = await audit(sandbox);
    expect(code).toBe(1);
    expect(signatures[0].reason).toMatch(/^the registry has no key SHA256:/);
    registry.signer = { ...makeSigner(), keys: [{ keyid: 'odd', key: 'AAAA' }, 7 as never] };
    expect(await audit(sandbox)).toMatchObject({
      code: 1,
      error: { code: 'ANNEX_INSTALL_FAILED' },
    });
  });

  test.each([404, 400])(
    'a registry without keys (%i) is named, with the remedy',
    async (status) => {
      const { sandbox, registry } = await open();
      registry.fault({ kind: 'status', status }, /keys$/);
      const { texts } = readLock(sandbox, 'kit');
      const { host } = new URL(registry.url);
      expect(await audit(sandbox)).toMatchObject({
        code: 1,
        stderr: `annex: ${host} has no signing keys, so nothing can be verified (ANNEX_INSTALL_FAILED). Now: ask the public registry: npm_config_registry=https://registry.npmjs.org npx annex audit signatures\n`,
        error: { code: 'ANNEX_INSTALL_FAILED' },
      });
      expect(readLock(sandbox, 'kit').texts).toEqual(texts);
    },
  );

  test('a registry that fails is reported, and nothing is recorded', async () => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    const { texts } = readLock(sandbox, 'kit');
    registry.fault({ kind: 'status', status: 503 }, /kit$/);
    const failed = await audit(sandbox);
    expect(failed).toMatchObject({ code: 1, error: { code: 'ANNEX_OFFLINE' } });
    registry.fault({ kind: 'hang' }, /keys$/);
    const env = { ANNEX_CONFIG: sandbox.write('operator.json', { timeout: 1 }) };
    const late = await sandbox.annex(['audit', 'signatures'], { env });
    expect(late).toMatchObject({ code: 1, stdout: '' });
    expect(late.stderr).toMatch(/^annex: it took longer than 1 s \(ANNEX_TIMEOUT\)/);
    expect(readLock(sandbox, 'kit').texts).toEqual(texts);
  });

  test.each([/keys$/, /kit$/])('a request that fails once is repeated: %s', async (match) => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    registry.fault({ kind: 'cut', times: 1 }, match);
    expect(await audit(sandbox)).toMatchObject({ code: 0, stderr: '' });
    expect(registry.requests.filter((line) => match.test(line))).toHaveLength(2);
  });

  test('a list of versions without an end is refused at the limit of security.md', async () => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    registry.fault({ kind: 'endless' }, /GET \/kit$/);
    const { code, error } = await audit(sandbox);
    expect({ code, reason: error.reason }).toEqual({
      code: 1,
      reason: expect.stringContaining(`sends more than ${64 * 2 ** 20} bytes`),
    });
  });

  test('lock --check --online verifies recorded signatures again', async () => {
    const { sandbox, registry } = await open();
    registry.signer = makeSigner();
    const check = (...more: string[]) => sandbox.annex(['lock', '--check', '--online', ...more]);
    const count = 'kit: locked; recorded signatures verified:';
    expect(await check()).toMatchObject({
      code: 0,
      stdout: `${count} 0 of 2, provenance: 0\n`,
      stderr: '',
    });
    await audit(sandbox);
    expect(await check()).toMatchObject({
      code: 0,
      stdout: `${count} 2 of 2, provenance: 0\n`,
      stderr: '',
    });
    const { signatures } = JSON.parse((await check('--json')).stdout);
    expect(signatures).toEqual([{ feature: 'kit', packages: 2, verified: 2, provenance: 0 }]);
    const { sidecar } = readLock(sandbox, 'kit');
    const { signature, ...record } = sidecar.packages[PART] as unknown as {
      signature: { keyid: string };
    };
    const moved = { ...sidecar.packages['node_modules/kit'], signature };
    const packages = { [PART]: record, 'node_modules/kit': moved };
    sandbox.write('app/annex/kit/annex.json', { ...sidecar, packages });
    expect(await check()).toMatchObject({
      code: 1,
      stderr:
        'annex: kit: the signature of kit 1.0.0 is invalid: the signature is not of the locked tarball. Now: npx annex audit signatures kit\n',
    });
    expect(await sandbox.annex(['lock', '--check'])).toMatchObject({ code: 0 });
    registry.signer = makeSigner();
    expect((await check()).stderr).toContain(`the registry has no key ${signature.keyid}`);
    const usage = await sandbox.annex(['lock', '--online']);
    expect(usage).toMatchObject({ code: 2 });
    expect(usage.stderr).toContain('lock takes --online only with --check');
  });
});
