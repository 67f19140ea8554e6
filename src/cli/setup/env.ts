/** annex env */
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HERE } from '../../base/own-files.ts';
import { listAncestors, toRealPath } from '../../base/paths.ts';
import { type Command, readSettings } from '../shared/command.ts';

/** Prints the lines that a Dockerfile needs, with the absolute paths of this machine. */
export const env: Command = ({ print }) => {
  const settings = readSettings();
  const { root } = settings.core;
  const isConfigured = settings.resolved.some(
    ({ key, from }) => key === 'store' && from.length > 0,
  );
  const variables = composeVariables({
    root,
    loader: findLoader(root),
    store: isConfigured ? settings.store : undefined,
  });
  const whose = `# On this machine the application is in ${JSON.stringify(root)}; the image can have it elsewhere.`;
  print(`${whose}\n${formatVariables(variables)}`, { variables }, settings);
  return 0;
};

/**
 * The variables of an image that has the application in `/opt/app`, as in README: in a monorepo with hoisted
 * packages, the directory that contains them.
 *
 * @param root directory of the application on this machine
 */
export function composeImageVariables(root: string): Record<string, string> {
  const top = listAncestors(root).find((dir) => existsSync(join(dir, INSTALLED))) ?? root;
  return composeVariables({
    root: join('/opt/app', relative(top, root)),
    loader: join('/opt/app', INSTALLED),
  });
}

const INSTALLED = join('node_modules', 'annex', 'loader.mjs');

const composeVariables = ({
  root,
  loader,
  store = '/opt/data/annex',
}: {
  root: string;
  loader: string;
  store?: string | undefined;
}): Record<string, string> => ({
  NODE_OPTIONS: `--import=${/[\s"\\%?#]/.test(loader) ? pathToFileURL(loader).href : loader}`,
  ANNEX_STORE: store,
  ANNEX_SEALED: '1',
  ANNEX_CORE: root,
});

/** Lines for a Dockerfile. */
export const formatVariables = (variables: Record<string, string>): string =>
  Object.entries(variables)
    .map(([name, value]) => `ENV ${name}=${quote(value)}`)
    .join('\n');

const LOADER = join(HERE ?? '', '..', 'loader.mjs');

/** Path of the loader inside the application: its real path may contain a version. */
function findLoader(root: string): string {
  const installed = join(root, INSTALLED);
  return toRealPath(installed) === toRealPath(LOADER) ? installed : LOADER;
}

/** @see https://docs.docker.com/reference/dockerfile/#env */
const quote = (value: string): string =>
  /[\s"'\\$]/.test(value) ? `"${value.replace(/["\\$]/g, '\\$&')}"` : value;
