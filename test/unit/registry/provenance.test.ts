/** Verification of provenance: real bundles, real certificates, and the library that npm contains. */
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyProvenance } from '../../../src/registry/provenance.ts';
import { openVerifier, type Verifier } from '../../../src/registry/sigstore.ts';
import { readDocument } from '../../support/documents.ts';
import { findNpm } from '../../support/npm.ts';
import { composeTuf, makeSigstore, plantTrust } from '../../support/sigstore.ts';
import { removeTree } from '../../support/tree.ts';

const integrity = `sha512-${Buffer.alloc(64, 7).toString('base64')}`;
const kit = { name: '@acme/kit', version: '1.0.0', integrity };
const source = { repository: 'https://github.com/acme/kit', commit: 'c'.repeat(40) };
const PATH = dirname(findNpm());

const { attest, files } = makeSigstore();
const sign = (changes: object = {}) =>
  attest({ id: '@acme/kit@1.0.0', integrity, ...source, ...changes }).bundle;

const root = mkdtempSync(join(tmpdir(), 'annex-provenance-'));
const makeDirectory = () => mkdtempSync(join(root, 'directory-'));
afterAll(() => removeTree(root));

let verifier: Verifier | undefined;
beforeAll(async () => {
  const cache = makeDirectory();
  plantTrust(cache, { files });
  verifier = await openVerifier(cache, PATH);
});

const verify = (...bundles: unknown[]) => verifyProvenance(kit, bundles, async () => verifier);

describe('provenance', () => {
  test('of the locked tarball names its repository and commit', async () => {
    expect(await verify(sign())).toEqual({ state: 'verified', source });
  });

  test('of a published package is verified with the root of trust in npm', async () => {
    const seeds = createRequire(realpathSync(findNpm()))('@sigstore/tuf/seeds.json');
    const [{ targets }] = Object.values(seeds) as [{ targets: Record<string, string> }];
    const trusted = Buffer.from(targets['trusted_root.json'] ?? '', 'base64').toString();
    const cache = makeDirectory();
    plantTrust(cache, { files: composeTuf(trusted) });
    const { bundle } = JSON.parse(readDocument('test/data/sigstore/sigstore-0.4.0.json'));
    const published = {
      name: 'sigstore',
      version: '0.4.0',
      integrity:
        'sha512-KCwMX6k20mQyFkNYG2XT3lwK9u1P36wS9YURFd85zCXPrwrSLZCEh7/vMBFNYcJXRiBtGDS+T4/RZZF493zABA==',
    };
    const open = () => openVerifier(cache, PATH);
    expect(await verifyProvenance(published, [bundle], open)).toEqual({
      state: 'verified',
      source: {
        repository: 'https://github.com/sigstore/sigstore-js',
        commit: '8a2ee2fd20dda58ffa4a8d808a65cb1e04711c03',
      },
    });
    expect(await verify(bundle)).toMatchObject({ state: 'invalid' });
  });

  const other = `sha512-${Buffer.alloc(64, 8).toString('base64')}`;
  test.each([
    ['of another tarball', { integrity: other }],
    ['of another version', { id: '@acme/kit@1.0.1' }],
    ['of another package', { id: 'kit@1.0.0' }],
  ])('%s is invalid', async (_, changes) => {
    const reason = 'the provenance is not of the locked tarball';
    expect(await verify(sign(changes))).toEqual({ state: 'invalid', reason });
    expect(await verify(sign(), sign(changes))).toEqual({ state: 'invalid', reason });
  });

  test.each([
    { repository: 'http://github.com/acme/kit' },
    { repository: 'https://user:secret@github.com/acme/kit' },
    { repository: 'https://github.com/acme/kit\u001b[2J' },
    { repository: 'https://github.com' },
    { repository: `https://github.com/${'a'.repeat(300)}` },
    { commit: 'main' },
    { commit: 'C'.repeat(40) },
    { commit: '' },
  ])('is invalid when the certificate names a source like %j', async (changes) => {
    const reason = 'its certificate names no repository and commit';
    expect(await verify(sign(changes))).toEqual({ state: 'invalid', reason });
  });

  test('is invalid when the statement is about something else', async () => {
    const bundle = sign({ predicateType: 'https://acme.invalid/other' });
    const reason = 'the statement is not about provenance';
    expect(await verify(bundle)).toEqual({ state: 'invalid', reason });
  });

  test('by an authority that is not trusted is invalid', async () => {
    const { bundle } = makeSigstore().attest({ id: '@acme/kit@1.0.0', integrity, ...source });
    expect(await verify(bundle)).toEqual({ state: 'invalid', reason: expect.any(String) });
  });

  test.each([
    ['another payload', { payload: Buffer.from('{}').toString('base64') }],
    ['another signature', { signatures: [{ sig: Buffer.alloc(70).toString('base64') }] }],
    ['no signature', { signatures: [] }],
  ])('with %s is invalid', async (_, changes) => {
    const bundle = sign();
    const dsseEnvelope = { ...(bundle.dsseEnvelope as object), ...changes };
    expect(await verify({ ...bundle, dsseEnvelope })).toMatchObject({ state: 'invalid' });
  });

  test.each([undefined, null, 7, 'text', [], {}, { mediaType: 7 }, { dsseEnvelope: null }])(
    'that is %j instead of a bundle is invalid',
    async (bundle) => {
      expect(await verify(bundle)).toEqual({ state: 'invalid', reason: expect.any(String) });
    },
  );

  test('is not verified when no npm contains the library', async () => {
    const dir = makeDirectory();
    const open = () => openVerifier(dir, dir);
    const reason = 'no npm in PATH contains the library sigstore';
    const expected = { state: 'not verified', reason };
    expect(await verifyProvenance(kit, [sign()], open)).toEqual(expected);
    writeFileSync(join(dir, 'npm'), '');
    expect(await verifyProvenance(kit, [sign()], open)).toEqual(expected);
  });

  test('is not verified when the registry lists attestations without serving them', async () => {
    const open = async () => verifier;
    expect(await verifyProvenance(kit, undefined, open)).toEqual({
      state: 'not verified',
      reason: 'the registry lists attestations and does not serve them',
    });
    expect(await verify()).toEqual({ state: 'none' });
  });
});
