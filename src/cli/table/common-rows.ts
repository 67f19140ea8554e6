/** What several rows of the table of commands have in common. */
import type { Argument, Option } from './row.ts';

/** Options that every command accepts. */
export const GLOBAL: readonly Option[] = [
  {
    name: 'directory',
    short: 'C',
    value: 'DIR',
    summary: 'run as if started in DIR',
    words: 'directories',
  },
  { name: 'json', summary: 'print JSON on stdout, errors too' },
  { name: 'help', short: 'h', summary: 'print the help of the command' },
  { name: 'version', short: 'v', summary: 'print the version of annex' },
];

/** Options of commands that use an application and its store. */
export const PLACE: readonly Option[] = [
  {
    name: 'core',
    value: 'DIR',
    summary: 'directory of the application',
    words: 'directories',
    default: 'ANNEX_CORE, or the nearest package.json with an annex key',
  },
  {
    name: 'store',
    value: 'PATHS',
    summary: 'the store, and layers after it, separated by ":"',
    words: 'directories',
    default: "ANNEX_STORE, or a directory below the user's cache directory",
  },
];

/** For commands that list things with names. */
export const QUIET: Option = {
  name: 'quiet',
  short: 'q',
  summary: 'print names alone, one a line',
  excludes: ['json'],
};

/** The age of versions, of commands that choose some. */
export const MIN_AGE: Option = {
  name: 'min-age',
  value: 'DAYS',
  summary: 'take only versions that were published at least DAYS ago',
  default: '1, or as npm is configured',
  unit: 'days',
};

/** Variables that every command of an application reads. */
export const SETTING_VARIABLES = [
  'ANNEX_CORE',
  'ANNEX_STORE',
  'ANNEX_SEALED',
  'ANNEX_ALLOW_INSTALLS',
  'ANNEX_CONFIG',
];

/** Variables of commands that use a registry. */
export const REGISTRY_VARIABLES = [
  'npm_config_*',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
];

/** Variables of commands that write a lock. */
export const LOCKING_VARIABLES = [...REGISTRY_VARIABLES, 'SOURCE_DATE_EPOCH'];

/** Features, without which a command takes all of them. */
export const FEATURES: Argument = {
  name: 'FEATURE',
  summary: 'names of features, or of packages in them; without any, all features',
  words: 'features',
  isOptional: true,
  isRepeated: true,
};
