/** annex __complete: the names that the scripts of `annex completion` offer. */
import { loadSettings } from '../../app/settings.ts';
import { readCwd } from '../../base/paths.ts';
import type { Command } from '../shared/command.ts';

/**
 * Prints the names of features and their packages, one a line; none without an application. Says nothing
 * else: a shell runs it.
 */
export const complete: Command = ({ print }) => {
  const loaded = loadSettings({ script: undefined, cwd: readCwd(), self: undefined });
  const { features, byPackage } = loaded.settings?.declaration ?? {};
  const declared = new Set([...(features?.keys() ?? []), ...(byPackage?.keys() ?? [])]);
  const names = [...declared].filter((name) => !/\p{Cc}/u.test(name));
  print(names.join('\n'), { names });
  return 0;
};
