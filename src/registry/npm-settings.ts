/** Reads npm's settings for requests: registries, credentials, certificates, proxies, cache and limits. */
import { join } from 'node:path';
import { readText } from '../base/files.ts';
import { isTransient } from '../base/thrown.ts';
import { readNpmrc } from './npmrc.ts';
import { isUnset, makeRegistryFor, type NpmrcLevel, toSettingText } from './registries.ts';
import { type Account, findAccount, readAccounts } from './sign-in.ts';

/** npm's settings for the packages of a core. */
export interface NpmSettings {
  /** The registry of a package, with a trailing slash. */
  registryFor(name: string): string;
  /** Whether a URL is on the host of a package's registry. */
  isOnRegistry(url: string, name: string): boolean;
  /**
   * The Authorization header that npm would send with a request.
   *
   * @param name the package; the credentials of its registry also count for the rest of that host
   */
  authorizationFor(url: string, name?: string): string | undefined;
  /** The proxy for a URL, possibly with credentials. */
  proxyFor(url: string): string | undefined;
  /** Why only npm can request a URL, as a clause; undefined when this process can. */
  indirect(url: string, name?: string): string | undefined;
  /** Reads the PEM of the authorities that replace Node's own. */
  readAuthorities(): string | undefined;
  strictSsl: boolean;
  offline: boolean;
  /** npm's cache: the directory that holds `_cacache`. */
  cache: string;
  /** Parallel connections to one host. */
  maxSockets: number;
  /** Milliseconds without a byte after which a transfer fails; 0 for no limit. */
  idleTimeout: number;
  /** npm's `fetch-retries`: attempts after the first one. */
  retries: number;
  /** npm's `fetch-retry-factor`, `-mintimeout` and `-maxtimeout`: growth and bounds of the pause, ms. */
  retryFactor: number;
  retryMinimum: number;
  retryMaximum: number;
  /** npm's `user-agent`, with its placeholders. */
  userAgent: string | undefined;
  /** npm's setting: which hosts in a lock represent the configured registry. */
  replaceRegistryHost: string;
  /** Whether the user has set `before` or `min-release-age`. */
  hasReleaseAge: boolean;
  /** Flags with which npm finds the same settings from another directory than the core, and its pauses. */
  flags: string[];
}

const IDLE_TIMEOUT = 30_000;

const RETRY_KEYS = [
  'fetch-retries',
  'fetch-retry-factor',
  'fetch-retry-mintimeout',
  'fetch-retry-maxtimeout',
];

/** Of npm, unless it has a setting for retries: by default it waits 70 s before it reports that nothing answers. */
const QUICK_RETRY = [
  '--fetch-retries=1',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=1000',
];

/**
 * Reads npm's settings. As for npm, an invalid or unreadable value is not set.
 *
 * @param core the directory with the project's .npmrc
 * @param env environment of an installer
 * @example readNpmSettings('/app', env).registryFor('@corp/sdk') // 'https://registry.corp/'
 */
export function readNpmSettings(
  core: string,
  env: Record<string, string>,
  node: string = process.versions.node,
): NpmSettings {
  const { levels, userConfig, globalConfig, resolvePath } = readNpmrc(core, env);
  const find = (key: string): unknown => levels.find((level) => Object.hasOwn(level, key))?.[key];
  const text = (key: string): string | undefined => toSettingText(find(key));
  const number = (key: string): number | undefined => toNumber(find(key));
  const isSet = (key: string): boolean => toSettingText(find(key)) !== undefined;

  const registryFor = makeRegistryFor(levels);
  const accounts = readAccounts(Object.assign({}, ...levels.toReversed()));
  const accountFor = (url: string, name = ''): Account | undefined => {
    const account = findAccount(accounts, url);
    if (account !== undefined || accounts.size === 0) return account;
    const home = registryFor(name);
    return isSameHost(url, home) ? findAccount(accounts, home) : undefined;
  };
  const proxyFor = makeProxyFor(text('https-proxy') ?? text('proxy'), text('noproxy'), env);
  const readAuthorities = makeReadAuthorities(levels, resolvePath);
  const old = ['_auth', '_authToken', 'username', '_password'];
  const hasOldSignIn = old.some((key) =>
    levels.slice(1, 4).some((level) => toSettingText(level[key]) !== undefined),
  );
  const cafile = text('cafile');
  const hasCertificate = isSet('cert') || isSet('key');
  const hasLocalAddress = isSet('local-address');
  return {
    registryFor,
    isOnRegistry: (url, name) => isSameHost(url, registryFor(name)),
    authorizationFor: (url, name) => accountFor(url, name)?.header,
    proxyFor,
    indirect(url, name) {
      if (hasOldSignIn) return 'an .npmrc signs in without naming the registry';
      if (hasCertificate || accountFor(url, name)?.hasCertificate) {
        return 'npm is set to show a client certificate';
      }
      if (hasLocalAddress) return 'npm is set to use a local address';
      const proxy = proxyFor(url);
      if (proxy === undefined) return undefined;
      if (!/^http:\/\/./i.test(proxy)) return 'npm is set to a proxy without an http:// address';
      return hasAgentProxy(node) ? undefined : `Node ${node} cannot use a proxy by itself`;
    },
    readAuthorities,
    // npm recognizes only `false`: `0` and `no` mean true.
    strictSsl: String(find('strict-ssl')) !== 'false',
    offline: text('offline') !== undefined,
    cache: resolvePath(text('cache') ?? usualCache(env)),
    maxSockets: Math.max(1, number('maxsockets') ?? 15),
    idleTimeout: Math.max(0, number('fetch-timeout') ?? IDLE_TIMEOUT),
    // npm's own defaults.
    retries: Math.max(0, number('fetch-retries') ?? 2),
    retryFactor: Math.max(1, number('fetch-retry-factor') ?? 10),
    retryMinimum: Math.max(0, number('fetch-retry-mintimeout') ?? 10_000),
    retryMaximum: Math.max(0, number('fetch-retry-maxtimeout') ?? 60_000),
    userAgent: text('user-agent'),
    replaceRegistryHost: text('replace-registry-host') ?? 'npmjs',
    hasReleaseAge: isSet('before') || isSet('min-release-age'),
    flags: [
      `--userconfig=${userConfig}`,
      `--globalconfig=${globalConfig}`,
      // A relative path would be resolved there. An absolute one must not override a `ca`.
      ...(cafile === undefined || /^[~/]/.test(cafile) ? [] : [`--cafile=${resolvePath(cafile)}`]),
      ...(RETRY_KEYS.some((key) => number(key) !== undefined) ? [] : QUICK_RETRY),
    ],
  };
}

/**
 * Whether Node's own agents can use a proxy.
 *
 * @see https://nodejs.org/docs/latest-v24.x/api/http.html#new-agentoptions `proxyEnv`
 */
function hasAgentProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

/**
 * npm's choice of a proxy: its settings, then the variables of the environment in either case.
 *
 * @see https://github.com/npm/agent/blob/v4.0.0/lib/proxy.js
 */
function makeProxyFor(
  set: string | undefined,
  noProxy: string | undefined,
  env: Record<string, string>,
): (url: string) => string | undefined {
  const variables = new Map(Object.entries(env).map(([key, value]) => [key.toLowerCase(), value]));
  const variable = (...names: string[]): string | undefined =>
    names.map((name) => variables.get(name)).find(Boolean);
  const bypass = (noProxy || variable('no_proxy') || '')
    .split(',')
    .map((host) => host.trim().split('.').filter(Boolean).reverse())
    .filter((segments) => segments.length > 0);
  return (url) => {
    const { protocol, hostname } = new URL(url);
    const names = protocol === 'https:' ? [] : ['http_proxy', 'proxy'];
    const proxy = set ?? variable('https_proxy', ...names);
    const host = hostname.split('.').reverse();
    const isBypassed = bypass.some((segments) => segments.every((part, i) => part === host[i]));
    return isBypassed ? undefined : proxy;
  };
}

/** The strongest level with `ca` or an existing `cafile` counts. */
function makeReadAuthorities(
  levels: NpmrcLevel[],
  resolvePath: (path: string) => string,
): () => string | undefined {
  return () => {
    for (const level of levels) {
      for (const [key, value] of Object.entries(level).reverse()) {
        const path = key === 'cafile' ? toSettingText(value) : undefined;
        const pem = path === undefined ? undefined : readIfPresent(resolvePath(path));
        if (pem) return pem;
        if (key === 'ca') return isUnset(value) ? undefined : [value].flat().join('\n');
      }
    }
    return undefined;
  };
}

/** Bytes of a cafile; the authorities of a system take 250 kB. */
const MAX_CERTIFICATES = 16 * 2 ** 20;

function readIfPresent(path: string): string | undefined {
  try {
    return readText(path, MAX_CERTIFICATES, 'follow');
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}

const usualCache = (env: Record<string, string>): string =>
  process.platform === 'win32' && env.LOCALAPPDATA ? join(env.LOCALAPPDATA, 'npm-cache') : '~/.npm';

const isSameHost = (a: string, b: string): boolean =>
  URL.canParse(a) && URL.canParse(b) && new URL(a).host === new URL(b).host;

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
