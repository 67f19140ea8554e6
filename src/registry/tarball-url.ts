/** Addresses of tarballs on registries. */

/**
 * The conventional address of a tarball.
 *
 * @param registry with a trailing slash
 * @example conventionalUrl('https://registry.corp/', '@a/b', '1.0.0') // 'https://registry.corp/@a/b/-/b-1.0.0.tgz'
 */
export const conventionalUrl = (registry: string, name: string, version: string): string =>
  `${registry}${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;

/**
 * The place of a tarball in a lock: its path relative to the registry, without the host.
 *
 * @param registry with a trailing slash
 * @returns undefined for another host, and for an address with a query, which may be secret
 * @example placeOf('https://corp.example/npm/download/a/1.0.0/f00d', 'https://corp.example/npm/') // 'download/a/1.0.0/f00d'
 */
export function placeOf(address: string, registry: string): string | undefined {
  if (!URL.canParse(address) || !URL.canParse(registry)) return undefined;
  const [{ host, pathname, search }, home] = [new URL(address), new URL(registry)];
  if (host !== home.host || search !== '') return undefined;
  const isInside = pathname.startsWith(home.pathname) && pathname !== home.pathname;
  return isInside ? pathname.slice(home.pathname.length) : pathname;
}

/**
 * The address of a place on a registry.
 *
 * @param registry with a trailing slash
 * @returns undefined for a place on another host
 */
export function addressOf(place: string, registry: string): string | undefined {
  if (!URL.canParse(place, registry)) return undefined;
  const url = new URL(place, registry);
  return url.origin === new URL(registry).origin ? url.href : undefined;
}

/**
 * Moves an address of a lock to the configured registry, if its host represents that.
 *
 * @param registry the default one, with a trailing slash; returned unless it is a URL
 * @param rule npm's `replace-registry-host`: npmjs, never, always, a host, or a URL with a path
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/arborist/lib/arborist/reify.js `registryResolved`
 */
export function placeUrl(resolved: string, registry: string, rule: string): string {
  if (!URL.canParse(registry)) return registry;
  const url = new URL(resolved);
  const home = new URL(registry);
  const base = home.pathname.replace(/\/$/, '');
  const from = URL.canParse(rule) ? new URL(rule) : undefined;
  const path = from?.pathname.replace(/\/$/, '') ?? '';
  const host = from?.hostname || (rule === 'npmjs' ? 'registry.npmjs.org' : rule);
  if (host !== 'always' && host !== url.hostname) return resolved;
  if (!isBelow(url.pathname, path)) return resolved;
  url.protocol = home.protocol;
  url.hostname = home.hostname;
  url.port = home.port;
  if (path !== '' || !isBelow(url.pathname, base)) {
    url.pathname = base + url.pathname.slice(path.length);
  }
  return url.href;
}

const isBelow = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}/`);
