/** Compares the signatures and the provenance that a lock records with what registries serve now. */
import type { Provenance } from '../app/pin.ts';
import type { ProvenanceResult } from '../registry/provenance.ts';
import { findInvalid } from '../registry/signing-keys.ts';
import type { LockedPart } from './locked.ts';
import { listSigned, type SignatureSource } from './signatures.ts';

/** What the recorded signatures of a lock are worth. */
export interface RecordedSignatures {
  /** Number of packages that a registry can sign. */
  packages: number;
  /** Number of those with a recorded signature that is valid. */
  verified: number;
  /** Number of packages whose recorded provenance is valid. */
  provenance: number;
  /** Clauses about signatures that are invalid, and about other provenance. */
  problems: string[];
}

/**
 * Compares what a lock records with the keys of the registry, and with the attestations that it serves. A key may have
 * expired since the package was signed.
 */
export async function checkRecorded(
  part: LockedPart,
  source: SignatureSource,
): Promise<RecordedSignatures> {
  const checked = await Promise.all(
    listSigned(part).map(async (node) => {
      const { path, name, version, integrity = '' } = node;
      const { signature, provenance } = part.pin.sidecar.packages[path] ?? {};
      const keys = signature && (await source.keysFor(name));
      const reason = keys && findInvalid({ name, version, integrity }, signature, { keys });
      const other = provenance && findOther(provenance, await source.findProvenance(node));
      return {
        hasSource: provenance !== undefined && other === undefined,
        isVerified: signature !== undefined && reason === undefined,
        problems: [
          ...(reason ? [`the signature of ${name} ${version} is invalid: ${reason}`] : []),
          ...(other ? [`the provenance of ${name} ${version} is ${other}`] : []),
        ],
      };
    }),
  );
  return {
    packages: checked.length,
    verified: checked.filter(({ isVerified }) => isVerified).length,
    provenance: checked.filter(({ hasSource }) => hasSource).length,
    problems: checked.flatMap(({ problems }) => problems),
  };
}

/** How the provenance of a package differs from the recorded one, as the end of a clause. */
function findOther(
  { repository, commit }: Provenance,
  { state, reason, source }: ProvenanceResult,
): string | undefined {
  if (source === undefined) return state === 'none' ? 'missing' : `${state}: ${reason}`;
  return source.repository === repository && source.commit === commit
    ? undefined
    : `${nameSource(source)}, and the lock records ${nameSource({ repository, commit })}`;
}

const nameSource = ({ repository, commit }: Provenance): string => `${repository} ${commit}`;
