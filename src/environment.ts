/** What an installer process inherits: only what annex and npm need, none of the application's secrets. */

/** Tells an installer process what it is; whoever else finds it set has been started by mistake. */
export const GUARD = 'ANNEX_INSTALLER';

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

/** npm's settings that would run something of the application's. */
const REFUSED = new Set(['npm_config_node_options', 'npm_config_script_shell']);

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
    const isNpmSetting = upper.startsWith('NPM_CONFIG_') && !REFUSED.has(name.toLowerCase());
    if (KEPT.has(upper) || isNpmSetting || name.startsWith('ANNEX_') || referenced.includes(name)) {
      picked[name] = value;
    }
  }
  const options = stripPreloads(env.NODE_OPTIONS ?? '');
  if (options !== '') picked.NODE_OPTIONS = options;
  delete picked[GUARD];
  return picked;
}

/** Options of Node that would run the application's code or stop for a debugger. */
const DROPPED =
  /^(?:--(?:import|require|loader|experimental-loader|inspect(?:-[a-z-]+)?|env-file(?:-if-exists)?|watch(?:-[a-z-]+)?|test|permission|experimental-permission)|-r)(?:=|$)/;
const TAKES_VALUE =
  /^(?:--(?:import|require|loader|experimental-loader|inspect-port|env-file(?:-if-exists)?)|-r)$/;

/**
 * NODE_OPTIONS without preloads, loaders, inspectors and what else changes which program runs.
 *
 * @see https://github.com/nodejs/node/blob/v24.11.1/src/node_options.cc ParseNodeOptionsEnvVar
 * @example stripPreloads('--import /x.mjs --max-old-space-size=512') // '--max-old-space-size=512'
 */
export function stripPreloads(options: string): string {
  const words = options.match(/(?:[^\s"]|"(?:\\.|[^"\\])*")+/g) ?? [];
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (!DROPPED.test(word)) kept.push(word);
    else if (TAKES_VALUE.test(word)) index++;
  }
  return kept.join(' ');
}

/** Names of the variables that an .npmrc refers to. */
export function listReferences(npmrc: string): string[] {
  return [...npmrc.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\??\}/g)].map((match) => match[1] ?? '');
}
