/** The facts in a report on an application and its annex. */
import type { Blocked, FeatureStatus } from '../types.ts';

/** A package in the closure of a feature. */
export interface ReportedPackage {
  name: string;
  version: string;
  /** `node_modules/axios/node_modules/form-data` */
  path: string;
  license?: string;
  /** Bytes of its tarball, as locked. */
  tarball?: number;
  /** The lock has a signature of the registry, which was verified. */
  isSigned?: true;
  /** What it was built from, by its verified provenance in the lock. */
  provenance?: { repository: string; commit: string };
  /** What a version was built from that was locked before, while that is not known of this one. */
  formerly?: { version: string; repository: string };
  /** Of a package with an install script: whether the feature allows it. */
  script?: 'allowed' | 'not allowed';
  /** Core's version of it, which this feature does not use. */
  beside?: string;
  /** The item that blocks it, as written. */
  blocked?: string;
}

/** A package of the application that features use. */
export interface SharedPackage {
  name: string;
  /** The version of the application; undefined if that cannot be read. */
  version?: string;
  /** Names of features. */
  features: string[];
}

/** A package that a feature takes from the application. */
export interface TakenPackage {
  name: string;
  /** All ranges that the feature requires of it; as declared, or of its own packages. */
  ranges: string[];
}

/** A feature: as `annex list` has it, and its packages. */
export interface ReportedFeature extends FeatureStatus {
  /** `locked` is the locked version. */
  packages: Record<string, FeatureStatus['packages'][string] & { locked?: string }>;
  /** Failed is also: denied, damaged, or core's copy is outside the range. */
  state: 'available' | 'missing' | 'failed';
  /** When its lock last changed. */
  lock?: { date: string };
  /** The sha256 of its package-lock.json, and what that is for; undefined without a valid lock. */
  pin?: { digest: string; platforms: string[] };
  /** Its own packages: of the entry in use, or else of the lock. */
  closure: ReportedPackage[];
  /** Packages that it takes from the application, by name. */
  shared: TakenPackage[];
  /** Packages whose install scripts may run. */
  scripts: string[];
  /** What the files of the entry were compared with, as at its first use; undefined: they were not. */
  verified?: 'lock' | 'listing';
  /** They were not because the entry is in a layer as trusted as core. */
  isUnhashed?: true;
  /** Entries that are not used, each with its damage. */
  damaged: string[];
  /** Size of the entry. */
  bytes?: number;
  /** When the entry was published, in ISO 8601. */
  published?: string;
}

/** An application, and what it can use beside what it ships. */
export interface Report {
  /** Name and version as in package.json; the name of the directory without one. */
  core: { name: string; version?: string };
  /** Versions of annex and of Node, and the platform: what the states are true for. */
  made: { annex: string; node: string; platform: string };
  /** Why no install may start in this environment. */
  gate?: string;
  /** Packages of the application that features use. */
  shared: SharedPackage[];
  features: ReportedFeature[];
  blocked: Blocked[];
}
