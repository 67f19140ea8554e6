/** The User-Agent header: npm's setting of that name, since some registries let nobody in but npm. */
import { version } from '../base/version.ts';

/** As npm's own, but for the version: which npm this stands in for is not known. */
const USUAL = `npm/{npm-version} annex/${version} node/{node-version} {platform} {arch}`;

/**
 * Fills in a `user-agent` as npm does.
 *
 * @param template undefined when it is not set
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/config/lib/definitions/definitions.js `user-agent`
 * @example composeUserAgent(undefined) // 'npm/? annex/1.0.0 node/v24.18.0 linux x64'
 */
export const composeUserAgent = (template = USUAL): string =>
  template
    .replace(/\{node-version\}/gi, process.version)
    .replace(/\{npm-version\}/gi, '?')
    .replace(/\{platform\}/gi, process.platform)
    .replace(/\{arch\}/gi, process.arch)
    .replace(/\{workspaces\}/gi, 'false')
    .replace(/\{ci\}/gi, '')
    .replace(/[^\x20-\x7e]/g, '')
    .trim();
