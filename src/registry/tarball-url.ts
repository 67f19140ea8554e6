/** Where a registry keeps the tarball of a package. */

/**
 * The address that registries use by convention.
 *
 * @param registry with a trailing slash
 * @example conventionalUrl('https://registry.corp/', '@a/b', '1.0.0') // 'https://registry.corp/@a/b/-/b-1.0.0.tgz'
 */
export const conventionalUrl = (registry: string, name: string, version: string): string =>
  `${registry}${name}/-/${name.slice(name.indexOf('/') + 1)}-${version}.tgz`;

/**
 * An address from a lock, moved to the registry configured here if its host stands for that.
 *
 * @param registry the default one, with a trailing slash; when it is no URL, nothing can be placed
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
