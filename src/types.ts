/** Types of the public interface, and of the result of an installer. */

/** The ten reasons for which a feature can be unavailable. */
export type ErrorCode =
  | 'ANNEX_DENIED'
  | 'ANNEX_CONFLICT'
  | 'ANNEX_OFFLINE'
  | 'ANNEX_INTEGRITY'
  | 'ANNEX_NO_SPACE'
  | 'ANNEX_STORE_UNUSABLE'
  | 'ANNEX_UNSUPPORTED_PLATFORM'
  | 'ANNEX_INSTALL_FAILED'
  | 'ANNEX_TIMEOUT'
  | 'ANNEX_INVALID_CONFIG';

/** Why a step failed or is not allowed, and a remedy. Plain data, which crosses threads and processes. */
export interface Refusal {
  code: ErrorCode;
  /** One clause, without a full stop: `registry.corp refused the connection`. */
  reason: string;
  /** The remedy in this deployment, an imperative without a full stop: `unset ANNEX_CONFIG`. */
  hint: string;
  /** The state, unless it is "other features unaffected". */
  state?: string;
  /** Of ANNEX_OFFLINE: the host and port that could not be reached or failed. */
  host?: string;
  /** Of ANNEX_OFFLINE: when that host allows the next request, ms since the epoch. */
  retryAt?: number;
  /** Of ANNEX_CONFLICT: every dependency that conflicts. */
  conflicts?: Conflict[];
  /** Of ANNEX_DENIED: the blocked version. */
  blocked?: BlockedVersion;
  /** A store could not be read: the refusal applies only to this lookup. */
  isUnread?: boolean;
}

/** One item of a blocklist. */
export interface Blocked {
  /** Real name of a package. */
  name: string;
  /** A semver range; `*` for every version. */
  range: string;
  /** The item as written: `axios@<1.7.4`. */
  spec: string;
  /** The source: `package.json`, or the path of the operator's file. */
  by: string;
  reason?: string;
}

/** A blocked version, and the item that blocks it. */
export interface BlockedVersion extends Omit<Blocked, 'range'> {
  version: string;
}

/** A dependency whose range is not satisfied. */
export interface Conflict {
  /** The dependent: `openai 5.23.2`, or `the feature`. */
  dependent: string;
  dependency: string;
  range: string;
  kind: 'declared' | 'dependency' | 'optional' | 'peer' | 'optional peer';
  /** The owner of the copy that does not fit: core, or the closure. */
  of: 'core' | 'closure';
  /** Version of that copy; undefined without one. */
  version?: string;
  /** Core's copy fits, but this feature cannot share it. */
  isFit?: true;
  /** A private copy solves the conflict: `"conflicts": "nest"`. */
  isNestable?: true;
}

/** The location of a feature, or of one of its packages. */
export type Whereabouts =
  | 'core'
  /** In the declared range, and not part of what core ships: a devDependency, for example. */
  | 'core (not shipped)'
  | 'core outside range'
  | 'store'
  | 'layer'
  | 'missing'
  | 'denied'
  | 'failed';

/** The kind of loader in a thread. */
export type LoaderKind = 'sync' | 'off-thread' | 'inactive';

/** The status of a feature in `status()` and `annex list`. */
export interface FeatureStatus {
  feature: string;
  where: Whereabouts;
  packages: Record<string, { range: string; version?: string; where: Whereabouts }>;
  /** Directory of the entry in a store or a layer. */
  dir?: string;
  /** Why the feature is unavailable. */
  refusal?: Refusal;
}

/** The result that an installer process prints on stdout. */
export type InstallResult =
  | {
      feature: string;
      outcome: 'installed' | 'present' | 'core';
      versions: Record<string, string>;
      dir?: string;
      /** Packages whose install scripts were not allowed and did not run. */
      unrun?: string[];
      ms: number;
    }
  | { feature: string; outcome: 'failed'; refusal: Refusal };

/** An install, on the tracing channel `annex:install`. Node adds `error` when it fails. */
export interface InstallTrace {
  feature: string;
  /** The store that it installs into. */
  store: string | undefined;
  /** Whether the thread waits: for `require`, and for a static import on Node 22 and later. */
  isBlocking: boolean;
  /** Set at the end. */
  result?: InstallResult;
  error?: unknown;
}

/** A decision, on the tracing channel `annex:resolve`. */
export interface ResolveTrace {
  specifier: string;
  kind: 'import' | 'require';
  /** The importing file. */
  parent: string | undefined;
  /** The rule of the decision table that answered; set at the end, as is the verdict. */
  rule?: number;
  verdict?: string;
  /** The error that the program gets. */
  error?: unknown;
}

/** A verification, on the tracing channel `annex:verify`. Node adds `error` when the file cannot be used. */
export interface VerifyTrace {
  /** Directory of the entry. */
  entry: string;
  /** The file that is loaded; undefined when an entry is first used. */
  file?: string;
  /** The directory that is used for an entry; the bytes that run in place of a damaged file. Set at the end. */
  result?: string | Uint8Array;
  error?: unknown;
}

/** A request that fails because a feature is unavailable, on the channel `annex:refuse`. */
export interface RefuseMessage {
  feature: string;
  code: ErrorCode;
  reason: string;
  hint: string;
  specifier: string | undefined;
}
