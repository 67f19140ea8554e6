/** What a registry lists about the versions of a package that can be verified. */
import { fieldOf, isObject } from '../base/shape.ts';
import { fetchPackument, MAX_PACKUMENT, readAnswer } from './answer.ts';
import type { Client } from './client.ts';
import { isRequestError } from './failure.ts';
import { readSignatures, type Signature } from './signing-keys.ts';

/** A version, as a registry lists it. */
export interface Published {
  signatures: Signature[];
  /** Whether the registry has attestations of it. */
  isAttested: boolean;
  /** Time of its publication, in ms; NaN if the registry does not state it. */
  time: number;
}

/** A version that a registry does not list. */
export const UNPUBLISHED: Published = { signatures: [], isAttested: false, time: Number.NaN };

/**
 * Asks a registry for all versions of a package. The rest of the answer, which can have megabytes, is dropped.
 *
 * @param registry with a trailing slash
 * @returns by version; empty when the registry does not have the package
 * @throws AnnexError when the registry does not answer, or with something else than JSON
 */
export async function fetchPublished(
  client: Client,
  registry: string,
  name: string,
): Promise<Map<string, Published>> {
  try {
    const response = await fetchPackument(client, registry, { name, accept: 'application/json' });
    const { versions, time } = readAnswer(response, MAX_PACKUMENT);
    const listed = Object.entries(isObject(versions) ? versions : {});
    return new Map(
      listed.map(([version, manifest]): [string, Published] => {
        const dist = fieldOf(manifest, 'dist');
        const isAttested = fieldOf(dist, 'attestations') !== undefined;
        const signatures = readSignatures(fieldOf(dist, 'signatures'));
        return [
          version,
          { signatures, isAttested, time: Date.parse(String(fieldOf(time, version))) },
        ];
      }),
    );
  } catch (error) {
    if (isRequestError(error) && error.status === 404) return new Map();
    throw error;
  }
}
