/** The machine's own npm: what a test against the real registry passes on, so that npm finds it as a person's npm does. */

const WANTED =
  /^(?:HOME|npm_config_\w+|(?:https?|no|all)_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(?:FILE|DIR))$/i;
/** What `npm run` sets for its own scripts, and what would change which program runs. */
const UNWANTED = /^npm_config_(?:local_prefix|global_prefix|prefix|node_gyp|node_options|cache)$/i;

/** HOME, npm's configuration, proxies and certificates of the process that runs the tests. */
export function readMachineEnvironment(): Record<string, string> {
  const found = Object.entries(process.env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && WANTED.test(entry[0]) && !UNWANTED.test(entry[0]),
  );
  return Object.fromEntries(found);
}
