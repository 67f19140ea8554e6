/** Composes the help of annex and of its commands. */
import type { Command } from './command.ts';
import { COMMANDS, findCommand, GROUPS, NAMES } from './commands.ts';
import { GLOBAL } from './common-rows.ts';
import type { Argument, Option, Row } from './row.ts';
import { suggest } from './suggest.ts';
import { wrap } from './wrap.ts';

/** Prints the help of annex, or of one command. */
export const help: Command = ({ args: [name], print }) => {
  const row = findCommand(name);
  if (name !== undefined && row === undefined) {
    return `${JSON.stringify(name)} is not a command${suggest(name, NAMES)}`;
  }
  const text = row === undefined ? composeOverview() : composeHelp(row);
  print(text, { help: text });
  return 0;
};

/** The usage of annex. */
export const USAGE = 'annex COMMAND [ARGUMENT...] [OPTION...]';

/** Exit codes, in words. */
export const EXIT_CODES = 'Exit codes: 0 success, 1 failure, 2 wrong usage.';

/** Which application commands use. */
export const APPLICATION =
  'The application is --core or ANNEX_CORE, or the nearest package.json with an annex key.';

/**
 * The usage of a command on one line.
 *
 * @example composeUsage(findCommand('env')) // 'annex env'
 */
export function composeUsage(row: Row): string {
  const options = listOwnOptions(row).map((option) => `[${formatOption(option)}]`);
  return ['annex', formatCall(row), ...options].join(' ');
}

/** The options in the usage of a command: those that it does not have in common with others. */
const listOwnOptions = ({ arguments: wanted = [], options = [] }: Row): Option[] =>
  options.filter(
    ({ name, isHidden }) =>
      isHidden !== true &&
      name !== 'core' &&
      name !== 'store' &&
      !wanted.some(({ instead }) => instead === name),
  );

/** A command with its arguments. */
const formatCall = ({ name, arguments: wanted = [] }: Row): string =>
  [name, ...wanted.map(formatArgument)].join(' ');

/** @example formatArgument(FEATURES) // '[FEATURE...]' */
export function formatArgument({ name, isOptional, isRepeated, instead }: Argument): string {
  const repeated = isRepeated === true ? `${name}...` : name;
  const text = instead === undefined ? repeated : `${repeated}|--${instead}`;
  return isOptional === true ? `[${text}]` : text;
}

/** @example formatOption({ name: 'days', value: 'N', summary: '' }) // '--days N' */
export const formatOption = ({ name, short, value }: Option): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

/** What an option does, and its default. */
export const describeOption = ({ summary, choices, default: value }: Option): string => {
  const only = choices === undefined ? '' : `: ${choices.join(' or ')}`;
  return `${summary}${only}${value === undefined ? '' : ` (default: ${value})`}`;
};

/** The help of annex: all commands in their groups. */
export function composeOverview(): string {
  const width = Math.max(...COMMANDS.map((row) => formatCall(row).length));
  const groups = [...GROUPS].map(([title, rows]) =>
    composeSection(
      title,
      rows.map((row) => [formatCall(row), describeSummary(row)]),
      width,
    ),
  );
  return [
    `usage: ${USAGE}`,
    ...groups,
    composeSection('Options of every command', GLOBAL.map(toLine)),
    ['annex help COMMAND describes one command.', APPLICATION, EXIT_CODES].flatMap(wrap).join('\n'),
  ].join('\n\n');
}

const describeSummary = ({ summary, aliases = [] }: Row): string =>
  aliases.length === 0 ? summary : `${summary} (${aliases.join(', ')})`;

/** The help of one command. */
export function composeHelp(row: Row): string {
  const { summary, details = [], arguments: wanted = [], options = [], variables, aliases } = row;
  const sections = [
    `usage: ${composeUsage(row)}`,
    wrap(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`).join('\n'),
    ...details.map((text) => wrap(text).join('\n')),
  ];
  if (aliases !== undefined) sections.push(`Also: annex ${aliases.join(', annex ')}.`);
  const named = wanted.map((one): [string, string] => [formatArgument(one), one.summary]);
  if (named.length > 0) sections.push(composeSection('Arguments', named));
  const shown = options.filter(({ isHidden }) => isHidden !== true);
  if (shown.length > 0) sections.push(composeSection('Options', shown.map(toLine)));
  sections.push(composeSection('Options of every command', GLOBAL.map(toLine)));
  sections.push(['Examples:', ...row.examples.map((one) => `  ${one}`)].join('\n'));
  if (variables.length > 0) {
    sections.push(wrap(`Environment variables: ${variables.join(', ')}`).join('\n'));
  }
  return sections.join('\n\n');
}

const toLine = (option: Option): [string, string] => [formatOption(option), describeOption(option)];

/** Names with their descriptions beside them, below a title. */
function composeSection(
  title: string,
  lines: readonly (readonly [string, string])[],
  width = Math.max(...lines.map(([name]) => name.length)),
): string {
  const described = lines.flatMap(([name, text]) =>
    wrap(text, width + 4).map((line, at) => `  ${(at === 0 ? name : '').padEnd(width)}  ${line}`),
  );
  return [`${title}:`, ...described].join('\n');
}
