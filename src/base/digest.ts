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

/** From the strongest to the weakest. */
const ALGORITHMS = ['sha512', 'sha384', 'sha256', 'sha1'];
/** Collision-resistant enough for an install without a lock. */
const STRONG = ['sha512', 'sha384'];

/** The strongest digests of an integrity text; one of them has to match. */
export interface Digests {
  algorithm: string;
  /** `sha512-BASE64` */
  all: string[];
}

/**
 * Parses Subresource Integrity; only the strongest algorithm counts.
 *
 * @returns undefined without a known algorithm
 * @see https://www.w3.org/TR/SRI/#get-the-strongest-metadata-from-set
 */
export function readDigests(integrity = ''): Digests | undefined {
  const listed = integrity.split(/\s+/).map((one) => one.replace(/\?.*$/, ''));
  for (const algorithm of ALGORITHMS) {
    const all = listed.filter((one) => one.startsWith(`${algorithm}-`));
    if (all.length > 0) return { algorithm, all };
  }
  return undefined;
}

/** Whether the algorithm is sha384 or sha512. */
export const isStrong = (digests: Digests | undefined): boolean =>
  digests !== undefined && STRONG.includes(digests.algorithm);
