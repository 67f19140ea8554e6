/** A registry on loopback as tests see it: how it is set up, what it records, how it fails. */
import type { PackageFixture } from './package.ts';

/** A way to fail: an answer of that status, none at all, half of one (and the end, or nothing more), a late one, other bytes than promised, a page, or bytes without end. */
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
  /** How many requests fail before the registry is well again; all by default. */
  times?: number;
  /** It answers after that. */
  until?: Promise<unknown>;
};

/** Where a registry is, and how it is spoken to. */
export interface RegistryOptions {
  /** Path of the registry on its host: `/api/npm`. */
  base?: string;
  /** Path below that where tarballs are, when that is not the conventional one: `/files`. */
  files?: string;
  /** PEM of a key and a certificate for 127.0.0.1 and localhost: it speaks https. */
  tls?: { key: string; cert: string };
}

/** A running registry. */
export interface Registry {
  /** Without a trailing slash. Stays the same over `stop` and `resume`. */
  url: string;
  /** `METHOD /path` of every request so far, decoded: `GET /@scope/name`. */
  requests: string[];
  /** Bytes that endless answers have sent so far. */
  sent: number;
  /** The Authorization header of each of `requests`. */
  authorizations: (string | undefined)[];
  /**
   * Fails the requests whose line in `requests` matches, all by default; the latest matching fault counts.
   * Without a fault: takes back the one set for that `match`, or all of them.
   */
  fault(fault: Fault | undefined, match?: RegExp): void;
  /** Publishes more packages; the same name and version is replaced. */
  add(...packages: PackageFixture[]): Promise<void>;
  /** Publishes an advisory on the versions of a package that are in a range. */
  advise(name: string, range: string): void;
  /** Names and versions that somebody wanted advisories on, for every such request. */
  audited: Record<string, string[]>[];
  /** Closes the port and every open connection. Harmless when stopped. */
  stop(): Promise<void>;
  /** Listens again on the same port. */
  resume(): Promise<void>;
}
