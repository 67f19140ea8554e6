/** Digests of tarballs: how registries list them, and which of them are enough. */

/** From the strongest to the weakest. */
const ALGORITHMS = ['sha512', 'sha384', 'sha256', 'sha1'];
/** Those that an install without a lock relies on. */
const STRONG = ['sha512', 'sha384'];

/** The digests of a tarball, any of which will do. */
export interface Digests {
  algorithm: string;
  /** As in the text: `sha512-BASE64`. */
  all: string[];
}

/**
 * Reads a text of Subresource Integrity. Of several algorithms the strongest counts alone.
 *
 * @returns undefined when it holds no digest that is known
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

/** Whether digests are enough without a lock: sha384 or better. */
export const isStrong = (digests: Digests | undefined): boolean =>
  digests !== undefined && STRONG.includes(digests.algorithm);
