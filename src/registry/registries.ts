/** Which registry a package comes from, and what of npm's settings decides where packages come from. */
import { redact } from '../base/messages.ts';

/** One file, or the environment: expanded keys and values. */
export type Level = Record<string, unknown>;

/** npm's default, and the registry of all that has none of its own. */
export const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

/** Settings that change what is found, and where; none that signs in. */
const SOURCES =
  /^(?:(?:@[^:]+:)?registry|scope|(?:https?-)?proxy|noproxy|offline|strict-ssl|cafile|ca|local-address|before|min-release-age|replace-registry-host)$/;

/**
 * The registry of a package, with a trailing slash; what is no URL stays, and is refused later.
 *
 * @param levels npm's settings, the strongest first
 * @example makeRegistryFor(levels)('@corp/sdk') // 'https://registry.corp/'
 */
export function makeRegistryFor(levels: Level[]): (name: string) => string {
  const find = (key: string): unknown => levels.find((level) => Object.hasOwn(level, key))?.[key];
  const text = (key: string): string | undefined => toText(find(key));
  const registry = find('registry');
  const usual = withSlash(registry === undefined ? PUBLIC_REGISTRY : String(registry));
  return (name) => {
    const scope = /^(@[^/]+)\//.exec(name)?.[1];
    const own = text('scope')?.replace(/^@?/, '@');
    const key = [scope, own].find(
      (one) => one !== undefined && text(`${one}:registry`) !== undefined,
    );
    return key === undefined ? usual : withSlash(text(`${key}:registry`) ?? '');
  };
}

/** Settings that sign in to a registry or a proxy. */
const CREDENTIALS =
  /^(?:\/\/.*:(?:_authToken|_auth|username|_password|certfile|keyfile)|_auth|_authToken|username|_password|cert|key)$/;

/**
 * Everything that decides where packages come from, as one text without credentials: two processes
 * with equal texts would ask the same places in the same way, whoever they sign in as.
 *
 * @param env of an installer: its proxies count
 */
export function describeSources(levels: Level[], env: Record<string, string>): string {
  return redact(JSON.stringify(pickSettings(levels, env, SOURCES)));
}

/**
 * Everything that signs in, each value as a mark of it: those above, and addresses that may hold a password.
 *
 * @param mark makes a few bits of a value, enough to notice most changes and too few to find it by guessing
 */
export function describeCredentials(
  levels: Level[],
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
  levels: Level[],
  env: Record<string, string>,
  keys: RegExp,
): [string, unknown][] {
  const merged: Level = Object.assign({}, ...levels.toReversed());
  const proxies = Object.entries(env).filter(
    ([name]) => keys === SOURCES && /^(?:\w+_)?proxy$/i.test(name),
  );
  const settings = Object.entries(merged).filter(([key]) => keys.test(key));
  return [...settings, ...proxies].sort(([a], [b]) => (a < b ? -1 : 1));
}

const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

/** What npm takes for a setting that is not set. */
export const isNothing = (value: unknown): boolean =>
  [undefined, null, false, 'null', 'false'].includes(value as null);

/** A setting as text; undefined when it is not set. */
export const toText = (value: unknown): string | undefined =>
  isNothing(value) ? undefined : String(value);
