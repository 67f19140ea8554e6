/** The shape of a row in the table of commands. */
import type { Command, Options } from '../shared/command.ts';

/** What a shell can complete. */
export type Words = 'commands' | 'directories' | 'features' | 'files';

/** An argument of a command. */
export interface Argument {
  /** As in the usage: `FEATURE`. */
  name: string;
  /** A clause for the help: `names of features`. */
  summary: string;
  isOptional?: true;
  /** Only the last argument can be repeated. */
  isRepeated?: true;
  /** A flag that stands in its place: `all`. */
  instead?: keyof Options;
  words?: Words;
  /** The only values that are accepted. */
  choices?: readonly string[];
}

/** An option of a command. */
export interface Option {
  name: keyof Options;
  short?: string;
  /** Name of its value, as in the usage: `DAYS`. Without it the option is a flag. */
  value?: string;
  /** A clause for the help: `print JSON on stdout`. */
  summary: string;
  /** The value that counts without the option, in words. */
  default?: string;
  words?: Words;
  /** The only values that are accepted. */
  choices?: readonly string[];
  /** Other options that cannot be given with it. */
  excludes?: readonly (keyof Options)[];
  isRepeated?: true;
  /** Its value is a number of these. */
  unit?: 'days' | 'seconds';
  /** For annex itself: no help, page or completion has it. */
  isHidden?: true;
}

/** Whether help, page and completion have an option. */
export const isShown = ({ isHidden }: Option): boolean => isHidden !== true;

/** A command. Help, completion, the parser and docs/cli.md are made of its row. */
export interface Row {
  name: string;
  /** One can be an argument of another command: `store prune`. */
  aliases?: readonly string[];
  /** A clause for lists of commands: `install into the store now`. */
  summary: string;
  /** Paragraphs with what the summary leaves out. */
  details?: readonly string[];
  arguments?: readonly Argument[];
  /** Options besides those of every command. */
  options?: readonly Option[];
  examples: readonly string[];
  /** Environment variables that change what it does. */
  variables: readonly string[];
  /** Loads its module, when it is called. */
  load: () => Promise<Command>;
}
