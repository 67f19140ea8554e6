/** annex env */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Command, findSettings } from './command.ts';

/** Prints the lines that a Dockerfile needs, with absolute paths as they are here. */
export const env: Command = ({ args, print }) => {
  if (args.length > 0) return undefined;
  const settings = findSettings();
  if (settings === undefined) return 1;
  const loader = fileURLToPath(new URL('../../loader.mjs', import.meta.url));
  const configured = settings.isSealed ? settings.store : undefined;
  const variables = {
    NODE_OPTIONS: `--import=${/[\s"\\%?#]/.test(loader) ? pathToFileURL(loader).href : loader}`,
    ANNEX_STORE: configured ?? '/opt/data/annex',
    ANNEX_SEALED: '1',
    ANNEX_CORE: settings.core.root,
  };
  const lines = Object.entries(variables).map(([name, value]) => `ENV ${name}=${quote(value)}`);
  print(lines.join('\n'), variables);
  return 0;
};

/** @see https://docs.docker.com/reference/dockerfile/#env */
const quote = (value: string): string =>
  /[\s"'\\$]/.test(value) ? `"${value.replace(/["\\$]/g, '\\$&')}"` : value;
