/** npm's rules for which host gets which credentials. */

/** The credentials for a part of a host. */
export interface Account {
  /** An Authorization header. */
  header: string | undefined;
  hasCertificate: boolean;
}

/** The accounts of an .npmrc chain, by the start of their keys: `//registry.corp/api`. */
export type Accounts = Map<string, Account>;

/**
 * Reads every key of the form `//host/path:name`.
 *
 * @param settings of the whole chain, each with its strongest value
 */
export function readAccounts(settings: Record<string, unknown>): Accounts {
  const parts = new Map<string, Map<string, string>>();
  for (const [key, value] of Object.entries(settings)) {
    const [, place, name] = /^(\/\/.*):([^:]+)$/.exec(key) ?? [];
    if (place === undefined || name === undefined || !value) continue;
    parts.set(place, (parts.get(place) ?? new Map()).set(name, String(value)));
  }
  const accounts: Accounts = new Map();
  for (const [place, part] of parts) {
    const token = part.get('_authToken');
    const auth = part.get('_auth') ?? joinBasic(part.get('username'), part.get('_password'));
    const header = token === undefined ? auth && `Basic ${auth}` : `Bearer ${token}`;
    const hasCertificate = part.has('certfile') && part.has('keyfile');
    if (header !== undefined || hasCertificate) accounts.set(place, { header, hasCertificate });
  }
  return accounts;
}

/** npm encodes only the password in base64. */
function joinBasic(user: string | undefined, password: string | undefined): string | undefined {
  if (user === undefined || password === undefined) return undefined;
  const plain = Buffer.from(password, 'base64').toString('utf8');
  return Buffer.from(`${user}:${plain}`).toString('base64');
}

/**
 * The account whose key is the longest prefix of a URL.
 *
 * @see https://github.com/npm/npm-registry-fetch/blob/v19.1.0/lib/auth.js `regFromURI`
 */
export function findAccount(accounts: Accounts, url: string): Account | undefined {
  if (accounts.size === 0) return undefined;
  const { host, pathname } = new URL(url);
  // A key may end in a slash or not: each step removes a name or the slash before it.
  for (let key = `//${host}${pathname}`; key.length > 2; key = key.replace(/([^/]+|\/)$/, '')) {
    const account = accounts.get(key);
    if (account !== undefined) return account;
  }
  return undefined;
}
