/** Digests of bytes: as hex digits for annex's own records, as Subresource Integrity for tarballs. */

/** Not imported: that evaluates every export, and a core without locks needs none of them. */
const loadCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');

/** sha256 as hex digits. */
export const digest = (data: string | Uint8Array): string => loadCrypto().hash('sha256', data);

/**
 * Subresource Integrity of one algorithm.
 *
 * @example computeIntegrity(tarball, 'sha512') // 'sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc...'
 */
export const computeIntegrity = (bytes: Buffer, algorithm: string): string =>
  `${algorithm}-${loadCrypto().createHash(algorithm).update(bytes).digest('base64')}`;
