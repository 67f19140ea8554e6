/** Which registry a package comes from, and what of npm's settings decides where packages come from. */
import { redact } from '../errors.ts';

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

/**
 * Everything that decides where packages come from, as one text without credentials: two processes
 * with equal texts would ask the same places in the same way. Tokens have no part in it; where they
 * are short-lived, every process has another one.
 *
 * @param env of an installer: its proxies count
 */
export function describeSources(levels: Level[], env: Record<string, string>): string {
  const merged: Level = Object.assign({}, ...levels.toReversed());
  const proxies = Object.entries(env).filter(([name]) => /^(?:\w+_)?proxy$/i.test(name));
  const settings = Object.entries(merged).filter(([key]) => SOURCES.test(key));
  const sorted = [...settings, ...proxies].sort(([a], [b]) => (a < b ? -1 : 1));
  return redact(JSON.stringify(sorted));
}

const withSlash = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

/** What npm takes for a setting that is not set. */
export const isNothing = (value: unknown): boolean =>
  [undefined, null, false, 'null', 'false'].includes(value as null);

/** A setting as text; undefined when it is not set. */
export const toText = (value: unknown): string | undefined =>
  isNothing(value) ? undefined : String(value);
