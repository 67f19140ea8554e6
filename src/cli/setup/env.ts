/** annex env */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HERE } from '../../base/own-files.ts';
import { toRealPath } from '../../base/paths.ts';
import type { Settings } from '../../settings/settings.ts';
import { type Command, readSettings } from '../shared/command.ts';

/** Prints the lines that a Dockerfile needs, with the absolute paths of this machine. */
export const env: Command = ({ print }) => {
  const settings = readSettings();
  const variables = composeVariables(settings);
  print(formatVariables(variables), { variables }, settings);
  return 0;
};

/** The variables of an image of this application. */
export function composeVariables({ core, resolved, store }: Settings): Record<string, string> {
  const loader = findLoader(core.root);
  const isConfigured = resolved.some(({ key, from }) => key === 'store' && from.length > 0);
  return {
    NODE_OPTIONS: `--import=${/[\s"\\%?#]/.test(loader) ? pathToFileURL(loader).href : loader}`,
    ANNEX_STORE: (isConfigured ? store : undefined) ?? '/opt/data/annex',
    ANNEX_SEALED: '1',
    ANNEX_CORE: core.root,
  };
}

/** Lines for a Dockerfile. */
export const formatVariables = (variables: Record<string, string>): string =>
  Object.entries(variables)
    .map(([name, value]) => `ENV ${name}=${quote(value)}`)
    .join('\n');

const LOADER = join(HERE ?? '', '..', 'loader.mjs');

/** Path of the loader inside the application: its real path may contain a version. */
function findLoader(root: string): string {
  const installed = join(root, 'node_modules', 'annex', 'loader.mjs');
  return toRealPath(installed) === toRealPath(LOADER) ? installed : LOADER;
}

/** @see https://docs.docker.com/reference/dockerfile/#env */
const quote = (value: string): string =>
  /[\s"'\\$]/.test(value) ? `"${value.replace(/["\\$]/g, '\\$&')}"` : value;
