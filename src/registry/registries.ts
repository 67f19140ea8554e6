/** Registries of packages, and fingerprints of the settings that decide where packages come from. */
import { redact } from '../base/messages.ts';

/** One .npmrc, or the environment: expanded keys and values. */
export type NpmrcLevel = Record<string, unknown>;

/** npm's default registry. */
export const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

/**
 * A hint to ask the public registry for what another one lacks. Where the public one itself seems to lack it,
 * something else answers.
 *
 * @param command that asks
 * @example hintPublic('https://npm.corp/', 'npx annex audit') // 'ask the public registry: npm_config_registry=...'
 */
export const hintPublic = (registry: string, command: string): string =>
  registry === PUBLIC_REGISTRY
    ? 'find out which proxy or mirror answers in its place'
    : `ask the public registry: npm_config_registry=${PUBLIC_REGISTRY.slice(0, -1)} ${command}`;

/** Settings that change which packages are found and where, without credentials. */
const SOURCES =
  /^(?:(?:@[^:]+:)?registry|scope|(?:https?-)?proxy|noproxy|offline|strict-ssl|cafile|ca|local-address|before|min-release-age|replace-registry-host)$/;

/**
 * Makes a function that returns the registry of a package, with a trailing slash. It does not validate the
 * URL; a request does.
 *
 * @param levels npm's settings, the strongest first
 * @example makeRegistryFor(levels)('@corp/sdk') // 'https://registry.corp/'
 */
export function makeRegistryFor(levels: NpmrcLevel[]): (name: string) => string {
  const find = (key: string): unknown => levels.find((level) => Object.hasOwn(level, key))?.[key];
  const text = (key: string): string | undefined => toSettingText(find(key));
  const registry = find('registry');
  const defaultRegistry = withSlash(registry === undefined ? PUBLIC_REGISTRY : String(registry));
  return (name) => {
    const scope = /^(@[^/]+)\//.exec(name)?.[1];
    const defaultScope = text('scope')?.replace(/^@?/, '@');
    const key = [scope, defaultScope].find(
      (one) => one !== undefined && text(`${one}:registry`) !== undefined,
    );
    return key === undefined ? defaultRegistry : withSlash(text(`${key}:registry`) ?? '');
  };
}

/** Credentials of registries and proxies. */
const CREDENTIALS =
  /^(?:\/\/.*:(?:_authToken|_auth|username|_password|certfile|keyfile)|_auth|_authToken|username|_password|cert|key)$/;

/**
 * A text of all settings that decide where packages come from, without credentials. Processes with equal
 * texts request the same addresses in the same way.
 *
 * @param env of an installer, for its proxies
 */
export function describeSources(levels: NpmrcLevel[], env: Record<string, string>): string {
  return redact(JSON.stringify(pickSettings(levels, env, SOURCES)));
}

/**
 * A text of all credentials, each as a few bits: the settings above, and addresses with a password.
 *
 * @param mark reduces a value to bits that show most changes and are too few to guess the value from
 */
export function describeCredentials(
  levels: NpmrcLevel[],
  env: Record<string, string>,
  mark: (value: string) => string,
): string {
  const isAddress = /registry$|proxy$/i;
  const values = pickSettings(levels, env, CREDENTIALS).concat(
    pickSettings(levels, env, SOURCES).filter(
      ([key, value]) => isAddress.test(key) && String(value).includes('@'),
    ),
  );
  return JSON.stringify(values.map(([key, value]) => [key, mark(String(value))]));
}

/** The strongest value of each setting, and the environment's proxies, sorted by name. */
function pickSettings(
  levels: NpmrcLevel[],
  env: Record<string, string>,
  keys: RegExp,
): [string, unknown][] {
  const merged: NpmrcLevel = Object.assign({}, ...levels.toReversed());
  const proxies = Object.entries(env).filter(
    ([name]) => keys === SOURCES && /^(?:\w+_)?proxy$/i.test(name),
  );
  const settings = Object.entries(merged).filter(([key]) => keys.test(key));
  return [...settings, ...proxies].sort(([a], [b]) => (a < b ? -1 : 1));
}

const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

/** Whether npm regards a value as not set. */
export const isUnset = (value: unknown): boolean =>
  [undefined, null, false, 'null', 'false'].includes(value as null);

/** A setting as text; undefined when it is not set. */
export const toSettingText = (value: unknown): string | undefined =>
  isUnset(value) ? undefined : String(value);
