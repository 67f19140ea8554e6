/** The data of the public interface, and what an installer answers; no code. */

/** The ten ways in which a feature can be unavailable. */
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

/** Why something cannot be had, and what helps here. Plain data: it crosses threads and processes. */
export interface Refusal {
  code: ErrorCode;
  /** One clause, without a full stop: `registry.corp refused the connection`. */
  reason: string;
  /** What to do next in this deployment, as an imperative without a full stop: `unset ANNEX_CONFIG`. */
  hint: string;
  /** What state things are in, when there is more to say than "other features unaffected". */
  state?: string;
  /** The host that could not be reached or was not well, with its port: of an ANNEX_OFFLINE. */
  host?: string;
  /** Every edge that does not fit, of an ANNEX_CONFLICT. */
  conflicts?: Conflict[];
  /** The version that must not be used, of an ANNEX_DENIED for that reason. */
  blocked?: BlockedVersion;
  /** A store could not be read: the refusal holds for this look-up alone. */
  isUnread?: boolean;
}

/** One item of a list of what must not be used. */
export interface Blocked {
  /** Real name of a package. */
  name: string;
  /** A semver range; `*` for every version. */
  range: string;
  /** As it was written: `axios@<1.7.4`. */
  spec: string;
  /** Who says so: `package.json`, or the path of the operator's file. */
  by: string;
  reason?: string;
}

/** A version that is blocked, and by what. */
export interface BlockedVersion extends Omit<Blocked, 'range'> {
  version: string;
}

/** A dependency that cannot be had as it is asked for. */
export interface Conflict {
  /** Who asks: `openai 5.23.2`, or `the feature`. */
  dependent: string;
  dependency: string;
  range: string;
  kind: 'declared' | 'dependency' | 'optional' | 'peer' | 'optional peer';
  /** Whose copy does not fit: core's, or that of the closure itself. */
  of: 'core' | 'closure';
  /** Its version; undefined when there is none. */
  version?: string;
  /** Core's copy would fit, but what stands in the entry cannot be shared. */
  isFit?: true;
  /** A private copy would do: `"conflicts": "nest"` helps. */
  isNestable?: true;
}

/** Where a feature, or one of its packages, is. */
export type Whereabouts =
  | 'core'
  /** In the declared range, and outside of what core ships: a devDependency, for instance. */
  | 'core (not shipped)'
  | 'core outside range'
  | 'store'
  | 'layer'
  | 'missing'
  | 'denied'
  | 'failed';

/** How the loader is active in a thread. */
export type LoaderKind = 'sync' | 'off-thread' | 'inactive';

/** What `status()` and `annex list` say of a feature. */
export interface FeatureStatus {
  feature: string;
  where: Whereabouts;
  packages: Record<string, { range: string; version?: string; where: Whereabouts }>;
  /** Directory of the entry, when it is in a store or a layer. */
  dir?: string;
  /** Why it is not to be had. */
  refusal?: Refusal;
}

/** What an installer process prints on stdout when it is done. */
export type InstallResult =
  | {
      feature: string;
      outcome: 'installed' | 'present' | 'core';
      versions: Record<string, string>;
      dir?: string;
      /** Packages with install scripts that were not allowed, and were not run. */
      unrun?: string[];
      ms: number;
    }
  | { feature: string; outcome: 'failed'; refusal: Refusal };
