/** The settings of a process, resolved once, when it starts. */
import type { LogLevel } from '../base/log.ts';
import type { Blocked, Refusal } from '../types.ts';
import type { Declaration } from './declaration.ts';
import type { Resolved } from './sources.ts';
import type { Verify } from './table.ts';

/** The application. */
export interface Core {
  /** Its root directory, as found. */
  root: string;
  realRoot: string;
}

/** The settings of a process. Structured-cloneable: each thread gets a copy. */
export interface Settings {
  core: Core;
  /** Directory of the entry script, when it lies outside of the core that ANNEX_CORE names. */
  strayDir: string | undefined;
  declaration: Declaration;
  /** Absolute path; undefined when no valid store is configured. */
  store: string | undefined;
  /** Absolute paths of the read-only stores behind it, in search order. */
  layers: string[];
  /** Why no install may start in this process, whatever the feature; undefined when installs are allowed. */
  gate: Refusal | undefined;
  /** Path of the operator's file, whose blocked versions are read again. */
  operatorFile: string | undefined;
  /** Blocked versions of package.json and, at the start of the process, of the operator's file. */
  blocked: Blocked[];
  isSealed: boolean;
  /** Whether Node keeps symbolic links in the paths of modules. */
  keepsLinks: boolean;
  /** A byte for the notices, then one for each feature, shared by all threads: 1 once they were reported. */
  reported: SharedArrayBuffer;
  /** Time limit of one install, milliseconds. */
  timeout: number;
  /** Whether an entry is synced to the disk before it is published. */
  isDurable: boolean;
  verify: Verify;
  /** Whether the files of a layer that is as trusted as core are not hashed: the operator wrote nothing else. */
  trustsLayers: boolean;
  log: LogLevel;
  /**
   * Variables of an installer besides those of the thread that starts it: the variables of annex from
   * the start of the process and, in a worker, those that the main thread lent it.
   */
  startEnv: Record<string, string>;
  /** Refusals of settings, without those of features. */
  notices: Refusal[];
  /** The value and origin of every setting, in the order of the table. */
  resolved: Resolved[];
}
