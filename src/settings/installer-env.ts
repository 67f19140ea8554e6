/** What an installer process inherits: only what annex and npm need, none of the application's secrets. */

/** Tells an installer process what it is; whoever else finds it set has been started by mistake. */
export const GUARD = 'ANNEX_INSTALLER';

/** Its value for an installer that is to try at once what failed a moment ago. */
export const RETRY = 'retry';

/** Where an installer finds a pipe to the process that asked; it closes when that one ends. */
export const ASKER_FD = 3;

const KEPT = new Set([
  'PATH',
  'HOME',
  'USER',
  'TMPDIR',
  'LANG',
  'TZ',
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

/** annex's own settings. */
const OWN = new Set([
  'ANNEX_STORE',
  'ANNEX_SEALED',
  'ANNEX_ALLOW_INSTALLS',
  'ANNEX_CONFIG',
  'ANNEX_CORE',
  'ANNEX_LOG',
]);

/** npm's settings that would run something of the application's; npm takes either case, and `-` for `_`. */
const REFUSED = /^npm_config_(?:node[_-]options|script[_-]shell)$/i;

/** Whether a variable sets annex itself: what it was when the process started counts. */
export const isOwnVariable = (name: string): boolean => OWN.has(name);

/**
 * The environment of an installer: PATH, HOME, proxies, certificates, npm_config_* and annex's own settings.
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
    return KEPT.has(upper) || isNpmSetting || OWN.has(name) || referenced.includes(name);
  });
  delete picked[GUARD];
  delete picked.NODE_OPTIONS;
  const options = stripPreloads(env.NODE_OPTIONS ?? '');
  if (options !== '') picked.NODE_OPTIONS = options;
  return picked;
}

/**
 * The environment of install scripts: what an installer has, without annex's own settings, what
 * signs in to a registry, and what an .npmrc refers to.
 *
 * @param env of the installer
 */
export const pickScriptEnv = (env: Record<string, string>): Record<string, string> =>
  pick(env, isForScripts);

const isForScripts = (name: string): boolean =>
  KEPT.has(name.toUpperCase()) || (/^npm_config_/i.test(name) && !SECRET.test(name));

/** npm's settings that sign in. */
const SECRET = /\/\/|_auth|_password|username|otp|_?token|^npm_config_key$/i;

/**
 * What every worker may know of the main thread's environment, whatever `env` it is started with: an
 * installer's variables without annex's own and without any that sign in.
 */
export const pickLentEnv = (env: Record<string, string | undefined>): Record<string, string> =>
  pick(
    pickInstallerEnv(env),
    (name, value) => (name === 'NODE_OPTIONS' || isForScripts(name)) && !/\/\/[^/\s]*@/.test(value),
  );

/** The variables that are set and pass. */
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
 * Options of Node that would run the application's code, stop for a debugger, write into the working
 * directory, or mean nothing without another one that is dropped.
 */
const DROPPED =
  /^(?:-r|--(?:import|require|loader|experimental-loader|entry-url|(?:experimental-)?permission|test)|--(?:inspect|debug|env-file|watch|allow|cpu-prof|heap-prof|trace-events?)(?:-.*)?)$/;

/**
 * NODE_OPTIONS without preloads, loaders, inspectors and what else changes which program runs.
 * Words are split at spaces alone; quotes may stand anywhere; `_` is `-` in the name of an option.
 *
 * @see https://github.com/nodejs/node/blob/v24.11.1/src/node_options.cc ParseNodeOptionsEnvVar
 * @example stripPreloads('--import /x.mjs --max-old-space-size=512') // '--max-old-space-size=512'
 */
export function stripPreloads(options: string): string {
  const words = options.match(/(?:[^ "]|"(?:\\.|[^"\\])*")+/g) ?? [];
  let isDropping = false;
  const kept = words.filter((word) => {
    const [name = '', ...value] = unquote(word).split('=');
    // What is no option is the value of the option before it.
    if (!name.startsWith('-')) return !isDropping;
    const isDropped = DROPPED.test(name.replaceAll('_', '-'));
    isDropping = isDropped && value.length === 0;
    return !isDropped;
  });
  return kept.join(' ');
}

const unquote = (word: string): string =>
  word.replace(/"((?:\\.|[^"\\])*)"/g, (_, text: string) => text.replace(/\\(.)/g, '$1'));

/** Names of the variables that an .npmrc refers to. */
export function listReferences(npmrc: string): string[] {
  return [...npmrc.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\??\}/g)].map((match) => match[1] ?? '');
}
