/** Variables of the machine that a test with the real registry passes to npm. */

const WANTED =
  /^(?:HOME|npm_config_\w+|(?:https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR))$/i;
/** Variables that `npm run` sets for its scripts, and ones that change which program runs. */
const UNWANTED = /^npm_config_(?:local_prefix|global_prefix|prefix|node_gyp|node_options|cache)$/i;

/** HOME, npm's configuration, proxies and certificates of the process that runs the tests. */
export function readMachineEnvironment(): Record<string, string> {
  const found = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && WANTED.test(entry[0]) && !UNWANTED.test(entry[0]),
  );
  return Object.fromEntries(found);
}
