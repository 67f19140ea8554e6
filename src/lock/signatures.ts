/** Verifies and records the registry's signatures and the provenance of locked packages. */
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Former,
  MAX_LOCK,
  type PackageRecord,
  type Provenance,
  type Sidecar,
} from '../app/pin.ts';
import { readJson } from '../base/files.ts';
import { fieldOf, isProvenance, isRepository, isShape, isText } from '../base/shape.ts';
import type { LockNode } from '../plan/graph.ts';
import type { LockedPackages } from '../plan/project.ts';
import { createClient } from '../registry/client.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import {
  fetchProvenance,
  type ProvenanceResult,
  verifyProvenance,
} from '../registry/provenance.ts';
import { fetchPublished, UNPUBLISHED } from '../registry/published.ts';
import { withRetries } from '../registry/retry.ts';
import {
  fetchKeys,
  findInvalid,
  readSignatures,
  type Signature,
  type SigningKey,
} from '../registry/signing-keys.ts';
import { openVerifier } from '../registry/sigstore.ts';
import { toJsonFile } from './compose.ts';
import type { LockedPart } from './locked.ts';
import { readOrElse } from './previous.ts';
import type { Replacement } from './replace.ts';

/** `no keys`: its registry signs nothing. */
export type SignatureState = 'verified' | 'missing' | 'invalid' | 'no keys';

/** The signature and the provenance of a locked package. */
export interface SignatureResult {
  name: string;
  version: string;
  registry: string;
  state: SignatureState;
  /** If it is verified. */
  signature?: Signature;
  /** If it is invalid. */
  reason?: string;
  provenance: ProvenanceResult;
  /** What another version was built from, if that is not the same repository. */
  formerly?: Former;
}

/** Asks registries; `close` drops the connections. */
export interface SignatureSource {
  check: (node: LockNode) => Promise<SignatureResult>;
  keysFor: (name: string) => Promise<SigningKey[]>;
  findProvenance: (node: LockNode) => Promise<ProvenanceResult>;
  close: () => void;
}

/**
 * Asks each registry for its keys once, and for each package once.
 *
 * @param path the PATH on which npm is found, whose library verifies provenance
 */
export function openSignatures(
  npm: NpmSettings,
  signal: AbortSignal,
  path: string | undefined,
): SignatureSource {
  const client = createClient(npm, signal, tmpdir());
  const ask = <T>(attempt: () => Promise<T>) => withRetries(attempt, client, npm);
  const keys = new Map<string, Promise<SigningKey[]>>();
  const published = new Map<string, ReturnType<typeof fetchPublished>>();
  const keysFor = (name: string) => {
    const registry = npm.registryFor(name);
    const asked = keys.get(registry) ?? ask(() => fetchKeys(client, registry));
    keys.set(registry, asked);
    return asked;
  };
  let verifier: ReturnType<typeof openVerifier> | undefined;
  const open = () => {
    verifier ??= untilAborted(signal, openVerifier(npm.cache, path));
    return verifier;
  };
  const findProvenance = async ({ name, version, integrity = '' }: LockNode) => {
    const signed = { name, version, integrity };
    const registry = npm.registryFor(name);
    const bundles = await ask(() => fetchProvenance(client, registry, signed));
    const result = await verifyProvenance(signed, bundles, open);
    signal.throwIfAborted();
    return result;
  };
  const check = async (node: LockNode): Promise<SignatureResult> => {
    const { name, version, integrity = '' } = node;
    const registry = npm.registryFor(name);
    const known = await keysFor(name);
    const asked = published.get(name) ?? ask(() => fetchPublished(client, registry, name));
    published.set(name, asked);
    const { signatures, isAttested, time } = (await asked).get(version) ?? UNPUBLISHED;
    const provenance: ProvenanceResult = isAttested
      ? await findProvenance(node)
      : { state: 'none' };
    const result = { name, version, registry, provenance };
    if (known.length === 0) return { ...result, state: 'no keys' };
    const [signature] = signatures;
    if (signature === undefined) return { ...result, state: 'missing' };
    const signed = { name, version, integrity };
    // As in npm, each of them counts.
    const reason = signatures
      .map((one) => findInvalid(signed, one, { keys: known, published: time }))
      .find((one) => one !== undefined);
    return reason === undefined
      ? { ...result, state: 'verified', signature }
      : { ...result, state: 'invalid', reason };
  };
  return { check, keysFor, findProvenance, close: client.close };
}

/** Settles as the promise does, or rejects with the signal's reason: npm's library takes no signal. */
const untilAborted = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
  Promise.race([promise, once(signal, 'abort').then(() => Promise.reject(signal.reason))]);

/** The packages of a lock that a registry signs: those in the tarball of another one have no tarball. */
export const listSigned = ({ nodes }: LockedPart): LockNode[] =>
  nodes.filter(({ isBundled }) => !isBundled);

/** Adds what an earlier version was built from to a result, unless it is the same repository. */
export function addFormer(
  { pin }: LockedPart,
  { path }: LockNode,
  result: SignatureResult,
): SignatureResult {
  const formerly = pin.sidecar.packages[path]?.formerly;
  const isOther = result.provenance.source?.repository !== formerly?.repository;
  return { ...result, ...(isOther && formerly && { formerly }) };
}

/**
 * The annex.json of a lock with what was verified; none when it has that already.
 *
 * @param results by the path of the package
 */
export function recordSignatures(
  { pin }: LockedPart,
  results: ReadonlyMap<string, SignatureResult>,
): Replacement | undefined {
  const packages = Object.fromEntries(
    Object.entries(pin.sidecar.packages).map(([path, record]) => {
      const { signature, provenance } = results.get(path) ?? {};
      const { formerly, ...rest } = record;
      const source = provenance?.source;
      const end = source ? { provenance: source } : formerly && { formerly };
      return [path, { ...rest, ...(signature && { signature }), ...end }];
    }),
  );
  if (JSON.stringify(packages) === JSON.stringify(pin.sidecar.packages)) return undefined;
  const text = toJsonFile({ ...pin.sidecar, packages });
  return { path: join(pin.dir, 'annex.json'), text };
}

const isFormer = isShape({ version: isText, repository: isRepository });

/**
 * Keeps the signatures and the provenance of a previous lock, of tarballs that are still the same. Of another version
 * it keeps the repository, for comparison.
 */
export function keepSignatures(
  sidecar: Sidecar,
  dir: string,
  nodes: ReadonlyMap<string, LockNode>,
): Sidecar {
  const before = readOrElse({ packages: {}, locked: {} }, () => ({
    packages: (readJson(join(dir, 'annex.json'), MAX_LOCK, 'follow') as Sidecar).packages,
    locked: (
      readJson(join(dir, 'package-lock.json'), MAX_LOCK, 'follow') as { packages: LockedPackages }
    ).packages,
  }));
  const packages = Object.entries(sidecar.packages).map(([path, record]) => {
    const old = fieldOf(before.packages, path);
    const locked = fieldOf(before.locked, path);
    const [signature] = readSignatures([fieldOf(old, 'signature')]);
    const [provenance, formerly] = [fieldOf(old, 'provenance'), fieldOf(old, 'formerly')];
    const kept: Partial<PackageRecord> = {};
    if (fieldOf(locked, 'integrity') === nodes.get(path)?.integrity) {
      if (signature !== undefined) kept.signature = signature;
      if (isProvenance(provenance)) kept.provenance = provenance as Provenance;
      if (isFormer(formerly)) kept.formerly = formerly as Former;
    } else {
      const { repository } = (provenance ?? {}) as Partial<Provenance>;
      const former = isProvenance(provenance)
        ? { version: fieldOf(locked, 'version'), repository }
        : formerly;
      if (isFormer(former)) kept.formerly = former as Former;
    }
    return [path, { ...record, ...kept }] as const;
  });
  return { ...sidecar, packages: Object.fromEntries(packages) };
}
