/** Remedies for failures of registries. */

/** Hints for requests of npm and of this process alike. */
export const REGISTRY_HINTS = {
  absent:
    'set a registry that has this version in npm_config_registry or an .npmrc, or lock another version',
  busy: 'wait until the registry works again, or set another one in npm_config_registry or an .npmrc',
  certificate: 'set npm_config_cafile to the certificate of the authority that signed it',
  dates: 'renew that certificate, or correct the clock of this machine',
  header:
    'remove that character, which is often the line end of the file that the token was read from',
  integrity: 'find out which registry or mirror serves other bytes than it lists',
  offline:
    'check the network and the proxy, or set another registry in npm_config_registry or an .npmrc',
  otherHost: 'set the registry to a host that its certificate names',
  proxy: 'set the credentials of the proxy in https-proxy in an .npmrc',
  response:
    'find out what answers there, or set another registry in npm_config_registry or an .npmrc',
  slowDown:
    'wait, or set a pull-through cache as the registry in npm_config_registry or an .npmrc, or bake a layer',
  signIn:
    'give npm a valid token for that registry in an .npmrc, such as the file in npm_config_userconfig',
  uncached: 'remove the setting offline, or fill the cache: npm cache add',
};

/**
 * The hint that a text contains: a store may have been written by others, so its texts are only compared.
 *
 * @example findHint('free space') // undefined
 */
export const findHint = (text: string): string | undefined =>
  Object.values(REGISTRY_HINTS).find((hint) => text.includes(hint));

/** Remedies for what stays as it is until somebody changes a setting: credentials, and npm's `offline`. */
const OF_SETTINGS = [
  REGISTRY_HINTS.header,
  REGISTRY_HINTS.proxy,
  REGISTRY_HINTS.signIn,
  REGISTRY_HINTS.uncached,
];

/**
 * Whether a hint says that a setting has to be changed before a registry can be used: no retry succeeds before.
 *
 * @example isOfSettings(REGISTRY_HINTS.signIn) // true
 */
export const isOfSettings = (hint: string): boolean =>
  OF_SETTINGS.some((one) => hint.includes(one));
