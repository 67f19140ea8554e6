/** What an installer process inherits: only what annex and npm need, none of the application's secrets. */

/** Tells an installer process what it is; whoever else finds it set has been started by mistake. */
export const GUARD = 'ANNEX_INSTALLER';

/** Its value for an installer that is to try at once what failed a moment ago. */
export const RETRY = 'retry';

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

/** npm's settings that would run something of the application's; npm takes either case, and `-` for `_`. */
const REFUSED = /^npm_config_(?:node[_-]options|script[_-]shell)$/i;

/**
 * The environment of an installer: PATH, HOME, proxies, certificates, npm_config_* and ANNEX_*.
 *
 * @param referenced names that an .npmrc refers to as `${NAME}`: npm needs them to sign in
 */
export function pickInstallerEnv(
  env: Record<string, string | undefined>,
  referenced: readonly string[] = [],
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    const upper = name.toUpperCase();
    const isNpmSetting = upper.startsWith('NPM_CONFIG_') && !REFUSED.test(name);
    if (KEPT.has(upper) || isNpmSetting || name.startsWith('ANNEX_') || referenced.includes(name)) {
      picked[name] = value;
    }
  }
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
export function pickScriptEnv(env: Record<string, string>): Record<string, string> {
  const isPicked = (name: string): boolean =>
    KEPT.has(name.toUpperCase()) ||
    (/^npm_config_/i.test(name) && !/\/\/|_auth|_password|username|otp|_?token/i.test(name));
  return Object.fromEntries(Object.entries(env).filter(([name]) => isPicked(name)));
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
