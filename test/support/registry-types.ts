/** A registry on loopback for tests: its options, its records, its faults. */
import type { PackageFixture } from './package.ts';

/** A fault: a response of that status, no response, half of one (then the end, or silence), a late one, wrong bytes, a page, or endless bytes. */
export type Fault = (
  | { kind: 'status'; status: number; headers?: Record<string, string> }
  | { kind: 'hang' }
  | { kind: 'cut' }
  | { kind: 'stall' }
  | { kind: 'slow'; ms: number }
  | { kind: 'late' }
  | { kind: 'wrong-digest' }
  | { kind: 'page'; body: string }
  | { kind: 'endless' }
) & {
  /** Number of requests that fail before the registry works again; all by default. */
  times?: number;
  /** The response is sent after it. */
  until?: Promise<unknown>;
};

/** The keys of a registry. */
export interface Signer {
  /** Answer to a request for keys. */
  keys: object[];
  /** The signatures of a version: `NAME@VERSION` and its integrity. */
  sign: (id: string, integrity: string) => { keyid: string; sig: string }[];
}

/** An attestation, as a registry serves it. */
export interface Attestation {
  predicateType: string;
  /** https://docs.sigstore.dev/about/bundle/ */
  bundle: Record<string, unknown>;
}

/** Paths and protocol of a registry. */
export interface RegistryOptions {
  /** Path of the registry on its host: `/api/npm`. */
  base?: string;
  /** Path of the tarballs below that, if not the conventional one: `/files`. */
  files?: string;
  /** PEM of a key and a certificate for 127.0.0.1 and localhost: it uses https. */
  tls?: { key: string; cert: string };
}

/** A running registry. */
export interface Registry {
  /** Without a trailing slash. `stop` does not change it. */
  url: string;
  /** `METHOD /path` of every request so far, decoded: `GET /@scope/name`. */
  requests: string[];
  /** Bytes that endless responses have sent so far. */
  sent: number;
  /** The Authorization header of each of `requests`. */
  authorizations: (string | undefined)[];
  /**
   * Fails the requests whose line in `requests` matches, all by default; the latest matching fault counts.
   * Without a fault: removes the one set for that `match`, or all of them.
   */
  fault(fault: Fault | undefined, match?: RegExp): void;
  /** Publishes more packages; the same name and version is replaced. */
  add(...packages: PackageFixture[]): Promise<void>;
  /** Publishes an advisory for the versions of a package in a range. */
  advise(name: string, range: string): void;
  /** Signs every version from now on, and serves the public keys; undefined: without keys. */
  signer: Signer | undefined;
  /** The attestations of a version (`NAME@VERSION`, its integrity), which it lists; undefined: none. */
  attest: ((id: string, integrity: string) => Attestation[] | undefined) | undefined;
  /** Names and versions of each request for advisories. */
  audited: Record<string, string[]>[];
  /** Closes the port and every open connection. Harmless when stopped. */
  stop(): Promise<void>;
  /** Breaks every connection, and goes on listening. */
  disconnect(): void;
}
