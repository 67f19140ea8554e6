/** What the completion of every shell offers, from the table of commands. */
import { COMMANDS, listWords } from '../table/commands.ts';
import { GLOBAL } from '../table/common-rows.ts';
import { isShown, type Option, type Row, type Words } from '../table/row.ts';

/** Prints the names of features and packages for a shell. */
export const LIST_FEATURES = 'annex __complete 2>/dev/null';

/** A command, as a shell completes it. */
export interface Completed {
  row: Row;
  /** Its name and its aliases. */
  names: readonly string[];
  /** Its options, and those of every command. */
  options: readonly Option[];
  /** What its arguments are. */
  words: readonly Words[];
  /** The only values of its argument. */
  choices: readonly string[];
}

/** Every command. */
export const listCompleted = (): Completed[] =>
  COMMANDS.map((row) => ({
    row,
    names: listWords(row),
    options: [...(row.options ?? []), ...GLOBAL].filter(isShown),
    words: (row.arguments ?? []).flatMap(({ words }) => words ?? []),
    choices: (row.arguments ?? []).flatMap(({ choices }) => choices ?? []),
  }));

/** Options with a value, each once: what follows them is no command. */
export function listValued(): Option[] {
  const all = [...GLOBAL, ...COMMANDS.flatMap(({ options = [] }) => options)].filter(isShown);
  return all.filter(
    ({ name, value }, at) =>
      value !== undefined && all.findIndex((one) => one.name === name) === at,
  );
}

/** @example spell({ name: 'help', short: 'h', summary: '' }) // ['-h', '--help'] */
export const spell = ({ name, short }: Option): string[] => [
  ...(short === undefined ? [] : [`-${short}`]),
  `--${name}`,
];
