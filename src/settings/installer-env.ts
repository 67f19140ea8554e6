/** Picks the variables that an installer process, its install scripts and workers inherit: none of the application's secrets. */
import { GUARD } from '../base/environment.ts';
import { COLUMNS } from './table.ts';

/** Value of the guard for an installer that ignores remembered failures. */
export const RETRY = 'retry';

/** Descriptor of an installer's pipe to the process that started it; the pipe closes when that process ends. */
export const ASKER_FD = 3;

const KEPT = new Set([
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'LANG',
  'TZ',
  'TERM',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'NODE_USE_ENV_PROXY',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]);

/** npm settings that would run code of the application. npm accepts either case, and `-` for `_`. */
const REFUSED = /^npm_config_(?:node[_-]options|script[_-]shell)$/i;

/** Whether a variable is a setting of annex. */
export const isAnnexVariable = (name: string): boolean => COLUMNS.environment.has(name);

/**
 * The environment of an installer: PATH, HOME, proxies, certificates, npm_config_* and the variables of annex.
 *
 * @param referenced names that an .npmrc refers to as `${NAME}`: npm needs them to sign in
 */
export function pickInstallerEnv(
  env: Record<string, string | undefined>,
  referenced: readonly string[] = [],
): Record<string, string> {
  const picked = pick(env, (name) => {
    const upper = name.toUpperCase();
    const isNpmSetting = upper.startsWith('NPM_CONFIG_') && !REFUSED.test(name);
    return KEPT.has(upper) || isNpmSetting || isAnnexVariable(name) || referenced.includes(name);
  });
  delete picked[GUARD];
  delete picked.NODE_OPTIONS;
  const options = stripPreloads(env.NODE_OPTIONS ?? '');
  if (options !== '') picked.NODE_OPTIONS = options;
  return picked;
}

/**
 * The environment of install scripts: that of the installer, without the variables of annex,
 * credentials of registries, and variables that an .npmrc refers to.
 *
 * @param env of the installer
 */
export const pickScriptEnv = (env: Record<string, string>): Record<string, string> =>
  pick(env, isForScripts);

const isForScripts = (name: string): boolean =>
  KEPT.has(name.toUpperCase()) || (/^npm_config_/i.test(name) && !SECRET.test(name));

/** npm settings that hold credentials. */
const SECRET = /\/\/|_auth|_password|username|otp|_?token|^npm_config_key$/i;

/**
 * The variables of the main thread that every worker gets, whatever its `env`: those of an installer
 * without the variables of annex and without credentials.
 */
export const pickLentEnv = (env: Record<string, string | undefined>): Record<string, string> =>
  pick(
    pickInstallerEnv(env),
    (name, value) => (name === 'NODE_OPTIONS' || isForScripts(name)) && !/\/\/[^/\s]*@/.test(value),
  );

/** The variables that are set and that the predicate accepts. */
export function pick(
  env: Record<string, string | undefined>,
  isPicked: (name: string, value: string) => boolean,
): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isPicked(entry[0], entry[1]),
  );
  return Object.fromEntries(entries);
}

/**
 * Options of Node that would run code of the application, wait for a debugger, write into the working
 * directory, or have no meaning without another dropped one.
 */
const DROPPED =
  /^(?:-r|--(?:import|require|loader|experimental-loader|entry-url|(?:experimental-)?permission|test)|--(?:inspect|debug|env-file|watch|allow|cpu-prof|heap-prof|trace-events?)(?:-.*)?)$/;

/**
 * NODE_OPTIONS without preloads, loaders, inspectors and other options that change which program runs.
 * Node splits words at spaces alone, allows quotes anywhere, and takes `_` for `-` in the name of an option.
 *
 * @see https://github.com/nodejs/node/blob/v24.11.1/src/node_options.cc ParseNodeOptionsEnvVar
 * @example stripPreloads('--import /x.mjs --max-old-space-size=512') // '--max-old-space-size=512'
 */
export function stripPreloads(options: string): string {
  let isDropping = false;
  const kept = splitWords(options).filter((word) => {
    const [name = '', ...value] = unquote(word).split('=');
    // A word that is not an option is the value of the option before it.
    if (!name.startsWith('-')) return !isDropping;
    const isDropped = DROPPED.test(name.replaceAll('_', '-'));
    isDropping = isDropped && value.length === 0;
    return !isDropped;
  });
  return kept.join(' ');
}

/** The words of NODE_OPTIONS, without their quotes. */
export const readWords = (options: string): string[] => splitWords(options).map(unquote);

const splitWords = (options: string): string[] =>
  options.match(/(?:[^ "]|"(?:\\.|[^"\\])*")+/g) ?? [];

const unquote = (word: string): string =>
  word.replace(/"((?:\\.|[^"\\])*)"/g, (_, text: string) => text.replace(/\\(.)/g, '$1'));

/** Names of the variables that an .npmrc refers to. */
export function listReferences(npmrc: string): string[] {
  return [...npmrc.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\??\}/g)].map((match) => match[1] ?? '');
}
