/** The table of commands. The parser, the help, shell completion, docs/cli.md and its tests are made of it. */
import { DECLARE } from './commands-declare.ts';
import { INSPECT } from './commands-inspect.ts';
import { COMPLETE, SETUP } from './commands-setup.ts';
import { STORE } from './commands-store.ts';
import type { Row } from './row.ts';

/** Every command, below the title of its group in the help. */
export const GROUPS: ReadonlyMap<string, readonly Row[]> = new Map([
  ['Declare and lock', DECLARE],
  ['Inspect', INSPECT],
  ['Change a store', STORE],
  ['Set up', SETUP],
]);

/** Every command. */
export const COMMANDS: readonly Row[] = [...GROUPS.values()].flat();

/**
 * Finds a command by its name or an alias.
 *
 * @example findCommand('ls')?.name // 'list'
 */
export const findCommand = (name: string | undefined): Row | undefined =>
  [...COMMANDS, COMPLETE].find(
    (row) => row.name === name || row.aliases?.some((alias) => alias === name),
  );

/** The name of a command and its aliases of one word. */
export const listWords = ({ name, aliases = [] }: Row): string[] =>
  [name, ...aliases].filter((each) => !each.includes(' '));

/** Names and aliases of all commands. */
export const NAMES: readonly string[] = COMMANDS.flatMap(listWords);
