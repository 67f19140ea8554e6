/** Keys of a registry, and their signatures. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { Signer } from './registry-types.ts';

/** Makes signatures that differ from what a registry should sign. */
export interface SigningFaults {
  /** When the key expires, in ISO format. */
  expires?: string;
  /** These versions (`NAME@VERSION`) are signed for another digest. */
  wrong?: string[];
  /** These versions are not signed. */
  unsigned?: string[];
}

/**
 * Makes an ECDSA key on P-256.
 *
 * @see https://docs.npmjs.com/about-registry-signatures
 */
export function makeSigner({ expires, wrong, unsigned }: SigningFaults = {}): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = publicKey.export({ format: 'der', type: 'spki' });
  const keyid = `SHA256:${createHash('sha256').update(key).digest('base64').replace('=', '')}`;
  const type = 'ecdsa-sha2-nistp256';
  const listed = { keyid, keytype: type, scheme: type, key: key.toString('base64') };
  return {
    keys: [{ ...listed, expires: expires ?? null }],
    sign: (id, integrity) => {
      if (unsigned?.includes(id)) return [];
      const digest = wrong?.includes(id) ? `sha512-${'A'.repeat(86)}==` : integrity;
      return [
        {
          keyid,
          sig: sign('sha256', Buffer.from(`${id}:${digest}`), privateKey).toString('base64'),
        },
      ];
    },
  };
}
