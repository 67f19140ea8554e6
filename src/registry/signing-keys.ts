/** Verifies the signatures of a registry with its public keys. */
import type { KeyObject } from 'node:crypto';
import { isListOf, isShape, isText } from '../base/shape.ts';
import { readAnswer } from './answer.ts';
import type { Client, RegistryResponse } from './client.ts';
import { isRequestError, refuseInstall } from './failure.ts';
import { hintPublic } from './registries.ts';

/** A signature of a registry over `NAME@VERSION:INTEGRITY`. */
export interface Signature {
  /** `SHA256:` and the digest of the key. */
  keyid: string;
  /** ECDSA with SHA-256, as base64. */
  sig: string;
}

/** What a registry signs. */
export interface SignedPackage {
  name: string;
  version: string;
  /** Subresource Integrity of the tarball. */
  integrity: string;
}

/** A public key of a registry. */
export interface SigningKey {
  keyid: string;
  /** Time from which it signs nothing, in ms; undefined if it does not expire. */
  expires: number | undefined;
  key: KeyObject;
}

/** Bytes of a list of keys. */
const MAX_KEYS = 2 ** 20;

/**
 * Asks a registry for its keys. A key that cannot be read is left out.
 *
 * @param registry with a trailing slash
 * @returns none for a registry without signatures
 * @throws AnnexError when the registry does not answer, or with something else than JSON
 * @see https://docs.npmjs.com/about-registry-signatures
 */
export async function fetchKeys(client: Client, registry: string): Promise<SigningKey[]> {
  const options = { name: '', label: 'signing keys', accept: 'application/json' };
  let response: RegistryResponse;
  try {
    const url = `${registry}-/npm/v1/keys`;
    response = await client.get(url, { ...options, maxBytes: MAX_KEYS });
  } catch (error) {
    // As in npm, these are registries without keys.
    if (isRequestError(error) && [400, 404].includes(error.status ?? 0)) return [];
    throw error;
  }
  const { keys } = readAnswer(response, MAX_KEYS);
  return Array.isArray(keys) ? keys.flatMap(readKey) : [];
}

function readKey(value: unknown): SigningKey[] {
  if (!isShape({ keyid: isText, key: isText })(value)) return [];
  const { keyid, key: base64, expires } = value as Record<string, string | null>;
  try {
    const { createPublicKey } = process.getBuiltinModule('node:crypto');
    const bytes = Buffer.from(base64 ?? '', 'base64');
    const key = createPublicKey({ key: bytes, format: 'der', type: 'spki' });
    return [
      { keyid: keyid ?? '', expires: expires == null ? undefined : Date.parse(expires), key },
    ];
  } catch {
    return [];
  }
}

const isSignatures = isListOf(isShape({ keyid: isText, sig: isText }));

/** The signatures in a packument's `dist`. */
export const readSignatures = (value: unknown): Signature[] =>
  isSignatures(value) ? (value as Signature[]).map(({ keyid, sig }) => ({ keyid, sig })) : [];

/**
 * Why a signature does not count, as a clause; undefined when it is valid.
 *
 * @param published when the version was published, in ms; omitted: the key may have expired since
 */
export function findInvalid(
  { name, version, integrity }: SignedPackage,
  { keyid, sig }: Signature,
  { keys, published }: { keys: readonly SigningKey[]; published?: number },
): string | undefined {
  const known = keys.find((one) => one.keyid === keyid);
  if (known === undefined) return `the registry has no key ${keyid}`;
  const { verify } = process.getBuiltinModule('node:crypto');
  const text = Buffer.from(`${name}@${version}:${integrity}`);
  if (!verify('sha256', text, known.key, Buffer.from(sig, 'base64'))) {
    return 'the signature is not of the locked tarball';
  }
  // Without a time of publication the comparison is false.
  const isExpired =
    known.expires !== undefined && published !== undefined && !(published < known.expires);
  return isExpired ? `the key ${keyid} had expired when it was published` : undefined;
}

/** The refusal for a registry that signs nothing. */
export const refuseUnsigned = (registries: readonly string[]) => ({
  ...refuseInstall(
    `${registries.map((url) => new URL(url).host).join(' and ')} has no signing keys, so nothing can be verified`,
  ),
  hint: hintPublic(registries[0] ?? '', 'npx annex audit signatures'),
});
