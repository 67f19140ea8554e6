/** Verifies the provenance of a package: from which commit of which repository its tarball was built. */
import { readDigests } from '../base/digest.ts';
import { showName } from '../base/messages.ts';
import { fieldOf, isProvenance } from '../base/shape.ts';
import { messageOf } from '../base/thrown.ts';
import { readAnswer } from './answer.ts';
import type { Client } from './client.ts';
import { isRequestError } from './failure.ts';
import type { SignedPackage } from './signing-keys.ts';
import type { VerifiedStatement, Verifier } from './sigstore.ts';

/** `none`: the registry lists none. `not verified`: it could not be verified, so it may be valid. */
export type ProvenanceState = 'verified' | 'none' | 'invalid' | 'not verified';

/** The provenance of a locked package. */
export interface ProvenanceResult {
  state: ProvenanceState;
  /** If it is verified: an https address, and the digest of the commit. */
  source?: { repository: string; commit: string };
  /** If it is invalid, or not verified. */
  reason?: string;
}

/** Bytes of the attestations of a version. */
const MAX_ATTESTATIONS = 8 * 2 ** 20;

const PREDICATE = 'https://slsa.dev/provenance/';

/**
 * Asks a registry for the attestations of a version. Their address is that of the configured registry, not the
 * one that it lists.
 *
 * @param registry with a trailing slash
 * @returns the bundles with provenance; undefined when the registry does not serve them
 * @throws AnnexError when the registry does not answer, or with something else than JSON
 */
export async function fetchProvenance(
  client: Client,
  registry: string,
  { name, version }: SignedPackage,
): Promise<unknown[] | undefined> {
  const url = `${registry}-/npm/v1/attestations/${name.replace('/', '%2f')}@${version}`;
  const options = { name, label: `attestations of ${name}@${version}`, accept: 'application/json' };
  try {
    const response = await client.get(url, { ...options, maxBytes: MAX_ATTESTATIONS });
    const { attestations } = readAnswer(response, MAX_ATTESTATIONS);
    if (!Array.isArray(attestations)) return undefined;
    const isOurs = (one: unknown) => String(fieldOf(one, 'predicateType')).startsWith(PREDICATE);
    return attestations.filter(isOurs).map((one) => fieldOf(one, 'bundle'));
  } catch (error) {
    if (isRequestError(error) && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Verifies bundles of one package. Each of them counts, and the first names the source.
 *
 * @param open opens the verifier
 */
export async function verifyProvenance(
  signed: SignedPackage,
  bundles: readonly unknown[] | undefined,
  open: () => Promise<Verifier | undefined>,
): Promise<ProvenanceResult> {
  const fail = (state: ProvenanceState, error: unknown): ProvenanceResult => {
    const { cause = error } = (error ?? {}) as { cause?: unknown };
    return { state, reason: showName(messageOf(cause)) };
  };
  if (bundles === undefined) {
    const reason = 'the registry lists attestations and does not serve them';
    return { state: 'not verified', reason };
  }
  if (bundles.length === 0) return { state: 'none' };
  let verify: Verifier | undefined;
  try {
    verify = await open();
  } catch (error) {
    return fail('not verified', error);
  }
  if (verify === undefined) {
    const reason = 'no npm in PATH contains the library sigstore';
    return { state: 'not verified', reason };
  }
  let result: ProvenanceResult = { state: 'none' };
  for (const bundle of bundles.toReversed()) {
    try {
      const statement = verify(bundle);
      const source = readSource(statement);
      const reason = findMismatch(signed, statement, source);
      if (reason !== undefined) return { state: 'invalid', reason };
      result = { state: 'verified', source };
    } catch (error) {
      return fail('invalid', error);
    }
  }
  return result;
}

/** Why a statement is not the provenance of a locked tarball, as a clause. */
function findMismatch(
  { name, version, integrity }: SignedPackage,
  { type, payload }: VerifiedStatement,
  source: unknown,
): string | undefined {
  const statement: unknown = JSON.parse(String(payload));
  const kind = String(fieldOf(statement, 'predicateType'));
  if (type !== 'application/vnd.in-toto+json' || !kind.startsWith(PREDICATE)) {
    return 'the statement is not about provenance';
  }
  // As in npm, a statement has one subject.
  const subjects = fieldOf(statement, 'subject');
  const [subject] = Array.isArray(subjects) ? subjects : [];
  const digests = readDigests(integrity);
  const digest = String(fieldOf(fieldOf(subject, 'digest'), 'sha512'));
  const isLocked =
    fieldOf(subject, 'name') === `pkg:npm/${name.replace(/^@/, '%40')}@${version}` &&
    digests?.algorithm === 'sha512' &&
    digests.all.includes(`sha512-${Buffer.from(digest, 'hex').toString('base64')}`);
  if (!isLocked) return 'the provenance is not of the locked tarball';
  return isProvenance(source) ? undefined : 'its certificate names no repository and commit';
}

/** Prefix of the OIDs of sigstore's certificate authority. */
const FULCIO = '1.3.6.1.4.1.57264.1';

/**
 * The source in the certificate: the authority has it from the build service. The statement could name another one,
 * because the workflow of the publisher writes it.
 *
 * @see https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
 */
function readSource({ extension }: VerifiedStatement): { repository: string; commit: string } {
  const read = (arc: number) => extension(`${FULCIO}.${arc}`);
  const repository = readUtf8(read(12));
  if (repository !== undefined) return { repository, commit: readUtf8(read(13)) ?? '' };
  // Certificates from before May 2023 have only the fields of GitHub.
  const isGitHub = String(read(1)) === 'https://token.actions.githubusercontent.com';
  return { repository: isGitHub ? `https://github.com/${read(5)}` : '', commit: `${read(3)}` };
}

/** The text of a UTF8String in DER, whose length below 128 takes one byte. */
function readUtf8(bytes: Buffer | undefined): string | undefined {
  const [tag, length = 0] = bytes ?? [];
  if (bytes === undefined || tag !== 0x0c) return undefined;
  return String(bytes.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f)));
}
