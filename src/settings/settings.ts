/** All that is decided once, when a process starts. */
import type { LogLevel } from '../base/log.ts';
import type { Blocked, Refusal } from '../types.ts';
import type { Declaration } from './declaration.ts';
import type { Gate } from './gate.ts';

/**
 * When the files of an entry are verified: as they are loaded, what is not loaded at first use; all
 * of them at first use; never.
 */
export type Verify = 'load' | 'first-use' | 'off';

/** The application's own tree. */
export interface Core {
  /** The root directory as it was found. */
  root: string;
  realRoot: string;
}

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
