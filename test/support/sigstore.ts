/** A root of trust like that of sigstore: a certificate authority, two logs, a TUF repository, and what they sign. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Attestation } from './registry-types.ts';

/** What a statement says, and what its certificate says. */
export interface Provenance {
  /** `NAME@VERSION` */
  id: string;
  /** Subresource Integrity with sha512. */
  integrity: string;
  repository: string;
  commit: string;
  /** Its type; SLSA by default. */
  predicateType?: string;
}

/** A root of trust, and its signatures. */
export interface Sigstore {
  /** Files of npm's TUF cache, by their path in `_tuf`. */
  files: Record<string, string>;
  /** Signs provenance, as a workflow of GitHub does. */
  attest: (provenance: Provenance) => Attestation;
}

/** Writes the files of a root of trust into a cache of npm. */
export function plantTrust(cache: string, { files }: Pick<Sigstore, 'files'>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(cache, '_tuf', path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

/** https://slsa.dev/spec/v1.0/provenance */
export const SLSA = 'https://slsa.dev/provenance/v1';

// https://www.itu.int/rec/T-REC-X.690: tag, length, content.
function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const long = size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...(size < 0x80 ? [size] : long)]), content]);
}
const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const text = (tag: number, value: string) => der(tag, Buffer.from(value));
const bits = (value: Uint8Array) => der(0x03, Buffer.from([0]), value);
const TRUE = der(0x01, Buffer.from([0xff]));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = rest.flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return der(0x06, Buffer.from([first * 40 + second, ...bytes]));
}

const ECDSA = sequence(oid('1.2.840.10045.4.3.2'));
const NAME = sequence(der(0x31, sequence(oid('2.5.4.3'), text(0x0c, 'authority'))));
const VALID = sequence(text(0x18, '20200101000000Z'), text(0x18, '21000101000000Z'));
const FULCIO = '1.3.6.1.4.1.57264.1';
const SCT = '1.3.6.1.4.1.11129.2.4.2';

const makeKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const toSpki = (key: KeyObject) => key.export({ format: 'der', type: 'spki' });
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest();
const uint = (value: number, size: number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - size);
};

const extension = (id: string, value: Uint8Array, isCritical = false) =>
  sequence(oid(id), ...(isCritical ? [TRUE] : []), der(0x04, value));

/** https://www.rfc-editor.org/rfc/rfc5280#section-4.1 */
function composeTbs(subject: Buffer, spki: Buffer, extensions: Buffer[]): Buffer {
  const version = der(0xa0, der(0x02, Buffer.from([2])));
  const serial = der(0x02, Buffer.from([1]));
  const rest = [subject, spki, der(0xa3, sequence(...extensions))];
  return sequence(version, serial, ECDSA, NAME, VALID, ...rest);
}

const certify = (tbs: Buffer, key: KeyObject) =>
  sequence(tbs, ECDSA, bits(sign('sha256', tbs, key)));

/** JSON with sorted keys. */
function toCanonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(toCanonical).join()}]`;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, one]) => `${JSON.stringify(key)}:${toCanonical(one)}`).join()}}`;
}

/** Makes a root of trust with new keys. */
export function makeSigstore(): Sigstore {
  const [authority, certificates, entries] = [makeKey(), makeKey(), makeKey()];
  const isAuthority = extension('2.5.29.19', sequence(TRUE), true);
  const root = certify(
    composeTbs(NAME, toSpki(authority.publicKey), [isAuthority]),
    authority.privateKey,
  );

  /** A certificate with the signature of the log of certificates. https://www.rfc-editor.org/rfc/rfc6962#section-3.2 */
  const issue = (key: KeyObject, { repository, commit }: Provenance): Buffer => {
    const extensions = [
      extension('2.5.29.17', sequence(text(0x86, `${repository}/.github/workflows/publish.yml`))),
      extension(`${FULCIO}.12`, text(0x0c, repository)),
      extension(`${FULCIO}.13`, text(0x0c, commit)),
    ];
    const plain = composeTbs(sequence(), toSpki(key), extensions);
    const time = uint(Date.now(), 8);
    const issuer = sha256(toSpki(authority.publicKey));
    const entry = [uint(0, 2), time, uint(1, 2), issuer, uint(plain.length, 3), plain, uint(0, 2)];
    const signature = sign('sha256', Buffer.concat(entry), certificates.privateKey);
    const id = sha256(toSpki(certificates.publicKey));
    const size = uint(signature.length, 2);
    const sct = Buffer.concat([
      uint(0, 1),
      id,
      time,
      uint(0, 2),
      Buffer.from([4, 3]),
      size,
      signature,
    ]);
    const list = Buffer.concat([uint(sct.length + 2, 2), uint(sct.length, 2), sct]);
    const logged = [...extensions, extension(SCT, der(0x04, list))];
    return certify(composeTbs(sequence(), toSpki(key), logged), authority.privateKey);
  };

  const attest = (provenance: Provenance): Attestation => {
    const { id, integrity, predicateType = SLSA } = provenance;
    const { publicKey, privateKey } = makeKey();
    const sha512 = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex');
    const payloadType = 'application/vnd.in-toto+json';
    const payload = JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: `pkg:npm/${id.replace(/^@/, '%40')}`, digest: { sha512 } }],
      predicateType,
      predicate: {},
    });
    const signed = `DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} ${payload}`;
    const sig = sign('sha256', Buffer.from(signed), privateKey).toString('base64');
    const body = {
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        payloadHash: { algorithm: 'sha256', value: sha256(Buffer.from(payload)).toString('hex') },
        signatures: [{ signature: sig, verifier: '' }],
      },
    };
    const keyId = sha256(toSpki(entries.publicKey));
    const logged = {
      body: Buffer.from(toCanonical(body)).toString('base64'),
      integratedTime: Math.floor(Date.now() / 1000),
      logIndex: 1,
      logID: keyId.toString('hex'),
    };
    const promise = sign('sha256', Buffer.from(toCanonical(logged)), entries.privateKey);
    return {
      predicateType: SLSA,
      bundle: {
        mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
        verificationMaterial: {
          x509CertificateChain: {
            certificates: [{ rawBytes: issue(publicKey, provenance).toString('base64') }],
          },
          tlogEntries: [
            {
              logIndex: '1',
              logId: { keyId: keyId.toString('base64') },
              kindVersion: { kind: 'dsse', version: '0.0.1' },
              integratedTime: String(logged.integratedTime),
              inclusionPromise: { signedEntryTimestamp: promise.toString('base64') },
              canonicalizedBody: logged.body,
            },
          ],
        },
        dsseEnvelope: {
          payload: Buffer.from(payload).toString('base64'),
          payloadType,
          signatures: [{ sig, keyid: '' }],
        },
      },
    };
  };

  const describeLog = (key: KeyObject) => ({
    baseUrl: 'https://log.invalid',
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: toSpki(key).toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: '2020-01-01T00:00:00Z' },
    },
    logId: { keyId: sha256(toSpki(key)).toString('base64') },
  });
  const trusted = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [describeLog(entries.publicKey)],
    certificateAuthorities: [
      {
        subject: {},
        uri: 'https://authority.invalid',
        certChain: { certificates: [{ rawBytes: root.toString('base64') }] },
        validFor: { start: '2020-01-01T00:00:00Z' },
      },
    ],
    ctlogs: [describeLog(certificates.publicKey)],
    timestampAuthorities: [],
  };
  return { files: composeTuf(JSON.stringify(trusted)), attest };
}

/**
 * The cache of a TUF repository whose one target is a root of trust.
 *
 * @see https://theupdateframework.github.io/specification/v1.0.0/
 */
export function composeTuf(trusted: string): Record<string, string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const keyval = { public: toSpki(publicKey).subarray(-32).toString('hex') };
  const keyid = randomBytes(32).toString('hex');
  const write = (signed: object) => {
    const whole = { spec_version: '1.0.0', version: 1, expires: '2100-01-01T00:00:00Z', ...signed };
    const sig = sign(null, Buffer.from(toCanonical(whole)), privateKey).toString('hex');
    return JSON.stringify({ signatures: [{ keyid, sig }], signed: whole });
  };
  const role = { keyids: [keyid], threshold: 1 };
  const target = {
    length: Buffer.byteLength(trusted),
    hashes: { sha256: sha256(Buffer.from(trusted)).toString('hex') },
  };
  const metadata = {
    root: write({
      _type: 'root',
      consistent_snapshot: true,
      keys: { [keyid]: { keytype: 'ed25519', scheme: 'ed25519', keyval } },
      roles: { root: role, timestamp: role, snapshot: role, targets: role },
    }),
    timestamp: write({ _type: 'timestamp', meta: { 'snapshot.json': { version: 1 } } }),
    snapshot: write({ _type: 'snapshot', meta: { 'targets.json': { version: 1 } } }),
    targets: write({ _type: 'targets', targets: { 'trusted_root.json': target } }),
  };
  const dir = 'tuf-repo-cdn.sigstore.dev';
  return {
    ...Object.fromEntries(
      Object.entries(metadata).map(([name, json]) => [`${dir}/${name}.json`, json]),
    ),
    [`${dir}/targets/trusted_root.json`]: trusted,
  };
}
