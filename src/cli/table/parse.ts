/** Parses a command line with the table of commands, and finds what is wrong with it. */
import { parseArgs } from 'node:util';
import { findNearest, suggest } from '../../settings/suggest.ts';
import type { Options } from '../shared/command.ts';
import { joinOr } from '../shared/format.ts';
import { COMMANDS, findCommand, NAMES } from './commands.ts';
import { GLOBAL } from './common-rows.ts';
import { type Argument, isShown, type Option, type Row } from './row.ts';

/** A parsed command line. */
export interface CommandLine {
  /** Undefined for none, and for one that is not a command. */
  row: Row | undefined;
  args: string[];
  options: Options;
  /** What is wrong: the command cannot run. */
  problem?: string;
}

/** A word of the command line that starts with `-`, as Node's parser understands it. */
interface OptionToken {
  name: string;
  rawName: string;
  value?: string | undefined;
  inlineValue?: boolean | undefined;
}

/** Options of all commands: whether a word is the value of the one before it depends on no command. */
const ALL: readonly Option[] = [...GLOBAL, ...COMMANDS.flatMap(({ options = [] }) => options)];

/** Short names of npm's commands, which are too short to be near a name. */
const OF_NPM: Record<string, string> = { i: 'install', up: 'update' };

/** How Node's parser splits words. */
const SYNTAX = Object.fromEntries(
  ALL.map(({ name, short, value }) => [
    name,
    { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) },
  ]),
) as Record<string, { type: 'boolean' | 'string'; short?: string }>;

/**
 * Parses a command line. Never throws: Node's parser is not strict here, and reports nothing.
 *
 * @example parseCommandLine(['lock', '--check']) // { row, args: [], options: { check: true } }
 */
export function parseCommandLine(words: string[]): CommandLine {
  const { tokens } = parseArgs({
    args: words,
    options: SYNTAX,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const [name, ...rest] = tokens.flatMap((token) =>
    token.kind === 'positional' ? token.value : [],
  );
  // `store prune` is an alias of two words.
  const longer = findCommand(`${name} ${rest[0]}`);
  const row = longer ?? findCommand(name);
  const args = longer === undefined ? rest : rest.slice(1);
  const options: Options = {};
  let problem: string | undefined;
  for (const token of tokens) {
    if (token.kind === 'option') problem = readOption(row, token, options) ?? problem;
  }
  const isUnknown = name !== undefined && row === undefined;
  if (isUnknown) {
    const meant = Object.hasOwn(OF_NPM, name)
      ? `; did you mean ${OF_NPM[name]}?`
      : suggest(name, NAMES);
    problem = `${JSON.stringify(name)} is not a command${meant}`;
  }
  if (row !== undefined) problem ??= findMisfit(row, args, options);
  return { row, args, options, ...(problem !== undefined && { problem }) };
}

/** Adds an option to others. @returns what is wrong with it */
function readOption(
  row: Row | undefined,
  { name, rawName, value, inlineValue = false }: OptionToken,
  options: Options,
): string | undefined {
  // Without a command, that is what is wrong.
  const known = row === undefined ? ALL : [...GLOBAL, ...(row.options ?? [])];
  const option = known.find((one) => one.name === name);
  if (option === undefined) {
    const shown = known.filter(isShown).map((one) => one.name);
    const nearest = findNearest(name, shown);
    const meant = nearest === undefined ? '' : `; did you mean --${nearest}?`;
    return `${row?.name ?? 'annex'} has no option ${rawName}${meant}`;
  }
  if (option.value === undefined) {
    if (value !== undefined) return `${rawName} takes no value`;
    Object.assign(options, { [option.name]: true });
    return undefined;
  }
  // What follows without `=` can be another option, whose value was forgotten.
  const isOption = value !== undefined && !inlineValue && /^-./.test(value);
  if (value === undefined || value === '' || isOption) {
    return `${rawName} needs a value: ${rawName} ${option.value}`;
  }
  const { choices } = option;
  if (choices?.includes(value) === false) {
    return `${rawName} is ${joinOr(choices)}, not ${JSON.stringify(value)}${suggest(value, choices)}`;
  }
  const { unit } = option;
  if (unit !== undefined && !NUMBERS[unit].isValid(value)) {
    return `${rawName} is ${NUMBERS[unit].name}, not ${JSON.stringify(value)}`;
  }
  const before = option.isRepeated === true ? (options[option.name] as string[] | undefined) : [];
  const all = [...(before ?? []), value];
  Object.assign(options, { [option.name]: option.isRepeated === true ? all : value });
  return undefined;
}

/** Values of options: days, at most a hundred years, and seconds, at most a week. */
const NUMBERS = {
  days: {
    name: 'a number of days from 0 to 36500',
    isValid: (text: string): boolean => /^\d{1,5}(\.\d+)?$/.test(text) && Number(text) <= 36_500,
  },
  seconds: {
    name: 'a whole number of seconds from 1 to 604800',
    isValid: (text: string): boolean => /^[1-9]\d{0,5}$/.test(text) && Number(text) <= 604_800,
  },
};

/** Arguments that are missing or too many, and options that exclude each other. */
function findMisfit(row: Row, args: string[], options: Options): string | undefined {
  for (const { name, excludes = [] } of row.options ?? []) {
    const other = options[name] && excludes.find((one) => options[one] !== undefined);
    if (other) return `--${name} and --${other} exclude each other`;
  }
  const wanted = row.arguments ?? [];
  const missing = wanted.find((argument, at) => isMissing(argument, args[at], options));
  if (missing !== undefined) {
    const { name, instead, choices } = missing;
    const what = choices === undefined ? name : `one of ${choices.join(', ')}`;
    return `${row.name} needs ${what}${instead === undefined ? '' : ` or --${instead}`}`;
  }
  const last = wanted.at(-1);
  if (last?.instead !== undefined && args.length > 0 && options[last.instead] === true) {
    return `${row.name} takes ${last.name} or --${last.instead}, not both`;
  }
  for (const [at, { choices }] of wanted.entries()) {
    const value = args[at];
    if (value !== undefined && choices?.includes(value) === false) {
      const meant = suggest(value, choices);
      return `${row.name} takes ${joinOr(choices)}, not ${JSON.stringify(value)}${meant}`;
    }
  }
  const extra = last?.isRepeated === true ? undefined : args[wanted.length];
  return extra === undefined
    ? undefined
    : `${row.name} takes ${describeCount(wanted.length)}; ${JSON.stringify(extra)} is too many`;
}

const isMissing = (
  { isOptional, instead }: Argument,
  value: string | undefined,
  options: Options,
): boolean => {
  if (value === '') return true;
  if (value !== undefined || isOptional === true) return false;
  return instead === undefined || options[instead] !== true;
};

const describeCount = (count: number): string =>
  count === 0 ? 'no argument' : count === 1 ? 'one argument' : `${count} arguments`;
