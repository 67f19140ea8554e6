/** The data that the parts of annex hand to each other; no code. */

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

/** One feature as the core's package.json declares it. */
export interface Feature {
  name: string;
  /** The feature's name as a file name: `[a-z0-9._-]`, at most 60 characters. */
  slug: string;
  /** Declared packages: name to semver range. */
  packages: Record<string, string>;
  /** Packages of the closure whose install scripts may run. */
  scripts: string[];
  /** What happens to a dependency that core ships at a version that does not fit. */
  conflicts: 'fail' | 'nest';
  /** Whether anything may be taken from core. */
  share: boolean;
  /** Set when the declaration is wrong: the feature is off. */
  problem?: Problem;
}

/** Something wrong in a file that a person wrote. */
export interface Problem {
  /** Where: `annex.features["exa-js"]`. */
  key: string;
  reason: string;
}

/** The `annex` key of the core's package.json, checked. */
export interface Declaration {
  features: Map<string, Feature>;
  /** Declared package name to the feature that lists it. */
  byPackage: Map<string, Feature>;
  /** Directories (absolute) and package names whose imports may trigger installs. */
  importers: string[];
  /** Platforms that a lock is made for: `linux-x64-glibc`. */
  platforms: string[];
  /** The sealed switch; undefined when the core does not say. */
  allowInstalls: boolean | undefined;
  /** What must not be used, whatever is declared or locked. */
  blocked: Blocked[];
  /** Something is blocked, and it cannot be told what: nothing may be installed. */
  unclear?: Problem;
  /** What is wrong besides the features themselves. */
  problems: Problem[];
}

/** The application's own tree. */
export interface Core {
  /** The root directory as it was found. */
  root: string;
  realRoot: string;
}

/** Whether installs are allowed, and if not, why. */
export type Gate = { isAllowed: true } | { isAllowed: false; refusal: Refusal };

export type LogLevel = 'silent' | 'error' | 'info' | 'debug' | 'json';

/**
 * When the files of an entry are verified: as they are loaded, what is not loaded at first use; all
 * of them at first use; never.
 */
export type Verify = 'load' | 'first-use' | 'off';

/** All that was decided when the process started. Structured-cloneable: threads are handed a copy. */
export interface Settings {
  core: Core;
  /** Directory of the entry script, when it lies outside of the core that ANNEX_CORE names. */
  strayDir: string | undefined;
  declaration: Declaration;
  /** Absolute; undefined when there is none that could be one. */
  store: string | undefined;
  /** Absolute: the read-only stores behind it, in the order in which they are searched. */
  layers: string[];
  gate: Gate;
  /** Path of the operator's file: what it blocks is read again. */
  operatorFile: string | undefined;
  /** What it blocked when the process started. */
  blocked: Blocked[];
  isSealed: boolean;
  /** Whether Node was told to keep links in the paths of modules. */
  keepsLinks: boolean;
  /** A byte for each feature, in their order, shared by all threads: 1 once a line has said why it is unavailable. */
  reported: SharedArrayBuffer;
  /** Time limit of one install, milliseconds. */
  timeout: number;
  /** Whether an entry is synced to the disk before it is published. */
  isDurable: boolean;
  /** When the files of an entry are held against its listing. */
  verify: Verify;
  log: LogLevel;
  /**
   * What an installer gets besides the variables of the thread that starts it: annex's own settings as
   * they were when the process started, and in a worker what the main thread lent it.
   */
  startEnv: Record<string, string>;
  /** What is wrong with the settings, features apart. */
  notices: Refusal[];
}

/** One package of a closure, as npm's lockfile names it. */
export interface ClosurePackage {
  /** Below the entry, with slashes: `node_modules/axios/node_modules/form-data`. */
  path: string;
  name: string;
  version: string;
  integrity?: string;
}

/** A dependency that an entry takes from core. */
export interface SharedPackage {
  /** Every range that the closure asks of it. */
  ranges: string[];
  /** Core's version when the entry was installed. */
  version: string;
}

/** `annex-entry.json`: what an entry holds and for whom. */
export interface Manifest {
  format: 2;
  feature: string;
  /** The declared ranges that this entry was installed for. */
  specs: Record<string, string>;
  closure: ClosurePackage[];
  /** What the closure has on this platform, and was left out because it does not run on this Node. */
  skipped?: ClosurePackage[];
  shared: Record<string, SharedPackage>;
  private: string[];
  /** Packages whose install scripts ran. */
  scripts: string[];
  /** ABI directory it was made for: `any`, or `node137-linux-x64-glibc`. */
  abi: string;
  /** The annex that wrote it: `annex@1.0.0`. */
  tool: string;
}

/** Path of a package to its listing, as `composeListing` writes it. */
export type Listings = Record<string, string>;

/** A published entry that may be used by this process. */
export interface Entry {
  feature: string;
  /** Real path of the entry's directory. */
  dir: string;
  /** Whether it stands in a layer, not in the store. */
  isLayer: boolean;
  manifest: Manifest;
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
