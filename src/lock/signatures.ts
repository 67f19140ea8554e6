/** Verifies and records the registry's signatures of locked packages. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_LOCK, type PackageRecord, type Sidecar } from '../app/pin.ts';
import { readJson } from '../base/files.ts';
import { isObject } from '../base/shape.ts';
import type { LockNode } from '../plan/graph.ts';
import type { LockedPackages } from '../plan/project.ts';
import { type Client, createClient } from '../registry/client.ts';
import { isRequestError } from '../registry/failure.ts';
import type { NpmSettings } from '../registry/npm-settings.ts';
import { retryOnce } from '../registry/retry.ts';
import {
  fetchKeys,
  findInvalid,
  parseAnswer,
  readSignatures,
  type Signature,
  type SigningKey,
} from '../registry/signing-keys.ts';
import { toJsonFile } from './compose.ts';
import type { LockedPart } from './locked.ts';
import { readOrElse } from './previous.ts';
import type { Replacement } from './replace.ts';

/** `no keys`: its registry signs nothing. */
export type SignatureState = 'verified' | 'missing' | 'invalid' | 'no keys';

/** The signature of a locked package. */
export interface SignatureResult {
  name: string;
  version: string;
  registry: string;
  state: SignatureState;
  /** If it is verified. */
  signature?: Signature;
  /** If it is invalid. */
  reason?: string;
}

/** Asks registries; `close` drops the connections. */
export interface SignatureSource {
  check: (node: LockNode) => Promise<SignatureResult>;
  keysFor: (name: string) => Promise<SigningKey[]>;
  close: () => void;
}

/** Bytes of a list of versions. */
const MAX_PACKUMENT = 200 * 2 ** 20;

/** Asks each registry for its keys once, and for each package once. */
export function openSignatures(npm: NpmSettings, signal: AbortSignal): SignatureSource {
  const client = createClient(npm, signal, tmpdir());
  const ask = <T>(attempt: () => Promise<T>) => retryOnce(attempt, client, npm.backoff);
  const keys = new Map<string, Promise<SigningKey[]>>();
  const packuments = new Map<string, Promise<Record<string, unknown>>>();
  const keysFor = (name: string) => {
    const registry = npm.registryFor(name);
    const asked = keys.get(registry) ?? ask(() => fetchKeys(client, registry));
    keys.set(registry, asked);
    return asked;
  };
  const check = async (node: LockNode): Promise<SignatureResult> => {
    const { name, version, integrity = '' } = node;
    const registry = npm.registryFor(name);
    const result = { name, version, registry };
    const known = await keysFor(name);
    if (known.length === 0) return { ...result, state: 'no keys' };
    const asked = packuments.get(name) ?? ask(() => fetchPackument(client, registry, name));
    packuments.set(name, asked);
    const { versions, time } = await asked;
    const dist = fieldOf(fieldOf(versions, version), 'dist');
    const signatures = readSignatures(fieldOf(dist, 'signatures'));
    const [signature] = signatures;
    if (signature === undefined) return { ...result, state: 'missing' };
    const published = Date.parse(String(fieldOf(time, version)));
    const signed = { name, version, integrity };
    // As in npm, each of them counts.
    const reason = signatures
      .map((one) => findInvalid(signed, one, { keys: known, published }))
      .find((one) => one !== undefined);
    return reason === undefined
      ? { ...result, state: 'verified', signature }
      : { ...result, state: 'invalid', reason };
  };
  return { check, keysFor, close: client.close };
}

const fieldOf = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;

async function fetchPackument(client: Client, registry: string, name: string) {
  const options = { name, label: name, accept: 'application/json', maxBytes: MAX_PACKUMENT };
  try {
    const { body } = await client.get(`${registry}${name.replace('/', '%2f')}`, options);
    return parseAnswer(body);
  } catch (error) {
    if (isRequestError(error) && error.status === 404) return {};
    throw error;
  }
}

/** The packages of a lock that a registry signs: those in the tarball of another one have no tarball. */
export const listSigned = ({ nodes }: LockedPart): LockNode[] =>
  nodes.filter(({ isBundled }) => !isBundled);

/**
 * The annex.json of a lock with the verified signatures; none when it has them already.
 *
 * @param results by the path of the package
 */
export function recordSignatures(
  { pin }: LockedPart,
  results: ReadonlyMap<string, SignatureResult>,
): Replacement | undefined {
  const packages = Object.fromEntries(
    Object.entries(pin.sidecar.packages).map(([path, record]) => {
      const signature = results.get(path)?.signature;
      return [path, { ...record, ...(signature && { signature }) }];
    }),
  );
  if (JSON.stringify(packages) === JSON.stringify(pin.sidecar.packages)) return undefined;
  const text = toJsonFile({ ...pin.sidecar, packages });
  return { path: join(pin.dir, 'annex.json'), text };
}

/**
 * Compares the recorded signatures of a lock with the keys of the registry. A key may have expired since
 * the package was signed.
 *
 * @returns clauses about the lock
 */
export async function checkRecorded(
  part: LockedPart,
  { keysFor }: SignatureSource,
): Promise<string[]> {
  const problems = await Promise.all(
    listSigned(part).map(async ({ path, name, version, integrity = '' }) => {
      const signature = part.pin.sidecar.packages[path]?.signature;
      if (signature === undefined) return [];
      const keys = await keysFor(name);
      const reason = findInvalid({ name, version, integrity }, signature, { keys });
      return reason === undefined
        ? []
        : [`the signature of ${name} ${version} is invalid: ${reason}`];
    }),
  );
  return problems.flat();
}

/** Keeps the signatures of a previous lock, of tarballs that are still the same. */
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
    const signature = fieldOf(fieldOf(before.packages, path), 'signature');
    const integrity = fieldOf(fieldOf(before.locked, path), 'integrity');
    const [kept] = readSignatures([signature]);
    const isSame = kept !== undefined && integrity === nodes.get(path)?.integrity;
    const whole: PackageRecord = isSame ? { ...record, signature: kept } : record;
    return [path, whole] as const;
  });
  return { ...sidecar, packages: Object.fromEntries(packages) };
}
