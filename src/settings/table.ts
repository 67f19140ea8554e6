/** The table of settings: where each one can be written, how it is parsed, and its default. */
import type { LogLevel } from '../base/log.ts';
import { parsePlatform } from '../base/platform.ts';
import { isObject } from '../base/shape.ts';
import { isPackageName } from '../base/specifier.ts';
import { splitStores } from '../base/store-layout.ts';
import type { Blocked } from '../types.ts';
import { parseBlocked } from './blocked.ts';
import { type Parse, parseList, parseSwitch, parseWord } from './parse.ts';

/** One setting. */
export interface Row<T> {
  /** Environment variable. */
  variable?: string;
  /** Key of the operator's file. */
  operatorKey?: string;
  /** Key below `annex` in the application's package.json. */
  manifestKey?: string;
  parse: Parse<T>;
  /** A valid value, as messages name it: `true or false`. */
  form: string;
  /** Value in place of an invalid one, and of a misspelled key; the default unless given. */
  restrictive?: T;
  /** No install starts while the value, or an item of it, is invalid. */
  closesGate?: true;
  default: T;
  /** The default in words, where it is not a constant. */
  unset?: string;
  /** The meaning, as in the tables of docs/configuration.md. */
  text: string;
}

/**
 * When the files of an entry are verified. `load`: modules when Node loads them, all other files when a
 * process first uses the entry. `first-use`: all files at that time. `off`: never.
 */
export type Verify = 'load' | 'first-use' | 'off';

const LEVELS = ['silent', 'error', 'info', 'debug', 'json'] as const satisfies LogLevel[];

/** Default platforms of a lock, whatever the machine that locks. */
const PLATFORMS = ['linux-arm64-glibc', 'linux-x64-glibc'];

const MAX_SECONDS = 86_400;

const row = <T>(columns: Row<T>): Row<T> => columns;

/** Every setting, by its name. */
export const SETTINGS = {
  features: row<Record<string, unknown>>({
    manifestKey: 'features',
    parse: (written) => (isObject(written) ? written : undefined),
    form: 'an object',
    default: {},
    unset: 'none',
    text: 'the packages that may be installed; annex never looks up any other name',
  }),
  importers: row<string[]>({
    manifestKey: 'importers',
    parse: parseList(
      'an absolute directory or a package name',
      (item) => item.startsWith('/') || isPackageName(item),
    ),
    form: 'a list',
    default: [],
    text: "code outside the application's own files that may start an install: absolute directories, or packages in its node_modules. Workspaces and other packages linked from outside any node_modules are the application's own files",
  }),
  store: row<string[]>({
    variable: 'ANNEX_STORE',
    parse: (written) => splitStores(String(written)),
    form: 'a list of absolute paths',
    default: [],
    unset: "below the user's cache directory, XDG_CACHE_HOME or ~/.cache; none when sealed",
    text: 'absolute path of the store. In a list separated by :, the first path is the store and the others are read-only layers, searched in order; /layers/* is each directory in /layers, sorted by name',
  }),
  sealed: row<boolean>({
    variable: 'ANNEX_SEALED',
    parse: parseSwitch,
    form: 'true or false',
    restrictive: true,
    default: false,
    text: 'true: the application is sealed. Without a store nothing is installed, and folders such as those in NODE_PATH own no declared name',
  }),
  allowInstalls: row<boolean>({
    variable: 'ANNEX_ALLOW_INSTALLS',
    operatorKey: 'allowInstalls',
    manifestKey: 'allowInstalls',
    parse: parseSwitch,
    form: 'true or false',
    restrictive: false,
    default: true,
    text: 'false: nothing is installed, sealed or not. annex bake ignores the key in package.json',
  }),
  config: row<string>({
    variable: 'ANNEX_CONFIG',
    parse: String,
    form: 'an absolute path',
    default: '',
    unset: 'no file',
    text: "absolute path of the operator's JSON file",
  }),
  core: row<string>({
    variable: 'ANNEX_CORE',
    parse: String,
    form: 'a path',
    default: '',
    unset:
      'the nearest package.json with an annex key above the entry script, unless the script is in a store; otherwise above annex itself; otherwise, for a tool in a node_modules above the working directory, above that directory',
    text: 'directory of the application',
  }),
  log: row<LogLevel>({
    variable: 'ANNEX_LOG',
    parse: (written, context) => (written === '' ? 'info' : parseWord(...LEVELS)(written, context)),
    form: 'one of silent, error, info, debug, json',
    default: 'info',
    text: 'silent, error, info, debug, or json (as info, one object per line)',
  }),
  timeout: row<number>({
    operatorKey: 'timeout',
    parse: (written) =>
      typeof written === 'number' && written > 0 && written <= MAX_SECONDS ? written : undefined,
    form: `a number of seconds up to ${MAX_SECONDS}`,
    default: 300,
    text: 'time limit of one install in seconds',
  }),
  durability: row<'sync' | 'none'>({
    operatorKey: 'durability',
    parse: parseWord('sync', 'none'),
    form: 'sync or none',
    default: 'sync',
    text: 'none: for a store that may be lost in a power failure',
  }),
  verify: row<Verify>({
    operatorKey: 'verify',
    parse: parseWord('load', 'first-use', 'off'),
    form: 'one of load, first-use, off',
    restrictive: 'load',
    default: 'load',
    unset: 'load, except in a layer as trusted as core',
    text: 'when the files of an entry are verified: load, first-use or off. A value that is written holds for every layer (see docs/security.md)',
  }),
  fromOptionalPeers: row<boolean>({
    manifestKey: 'fromOptionalPeers',
    parse: (written) => (typeof written === 'boolean' ? written : undefined),
    form: 'true or false',
    default: false,
    text: "true: the application's optional peer dependencies are features too",
  }),
  conflicts: row<'fail' | 'nest'>({
    manifestKey: 'conflicts',
    parse: parseWord('fail', 'nest'),
    form: 'fail or nest',
    default: 'fail',
    text: 'what to do when a feature depends on a package that the application ships at another version: "fail" or "nest" (install a private copy)',
  }),
  blocked: row<Blocked[]>({
    operatorKey: 'blocked',
    manifestKey: 'blocked',
    parse: parseBlocked,
    form: 'a list',
    closesGate: true,
    default: [],
    text: 'versions that must not be used, even if declared or locked: "NAME", "NAME@RANGE" or { "spec": ..., "reason": ... }',
  }),
  platforms: row<string[]>({
    manifestKey: 'platforms',
    parse: (written, context) => {
      const isPlatform = (item: string): boolean => parsePlatform(item) !== undefined;
      const form = 'a platform, such as linux-x64-glibc or darwin-arm64';
      const platforms = parseList(form, isPlatform)(written, context);
      return platforms?.length === 0 ? PLATFORMS : platforms && [...new Set(platforms)].sort();
    },
    form: 'a list',
    default: PLATFORMS,
    text: 'the platforms that locks cover',
  }),
} as const;

/** A key that names a JSON schema, for editors. It is no setting. */
export const SCHEMA = '$schema';

export type Key = keyof typeof SETTINGS;

/** A value for every setting. */
export type Values = { [K in Key]: (typeof SETTINGS)[K] extends Row<infer T> ? T : never };

export const KEYS = Object.keys(SETTINGS) as Key[];

const listColumn = (column: 'variable' | 'operatorKey' | 'manifestKey'): Map<string, Key> =>
  new Map(
    KEYS.flatMap((key): [string, Key][] => {
      const name = (SETTINGS[key] as Row<unknown>)[column];
      return name === undefined ? [] : [[name, key]];
    }),
  );

/** By source: the names that its settings have there. */
export const COLUMNS = {
  environment: listColumn('variable'),
  'operator file': listColumn('operatorKey'),
  'package.json': listColumn('manifestKey'),
} as const;
