/** Composes the help of annex and of its commands. */
import { wrap } from '../../base/layout.ts';
import { suggest } from '../../settings/suggest.ts';
import type { Command } from '../shared/command.ts';
import { joinOr } from '../shared/format.ts';
import { findWidth, type Look, paint } from '../shared/terminal.ts';
import { COMMANDS, findCommand, GROUPS, listWords, NAMES } from './commands.ts';
import { GLOBAL } from './common-rows.ts';
import { composeCode, readCodes } from './help-code.ts';
import { type Argument, isShown, type Option, type Row } from './row.ts';

/** Prints the help of annex, of one command, or of one error code. */
export const help: Command = ({ args: [name], options: { json }, print }) => {
  const row = findCommand(name);
  const look = json === true ? PLAIN : findLook();
  let text = row === undefined ? composeOverview(look) : composeHelp(row, look);
  if (name !== undefined && row === undefined) {
    const codes = readCodes();
    const section = codes.get(name);
    if (section === undefined) {
      const meant = suggest(name, [...NAMES, ...codes.keys()]);
      return `${JSON.stringify(name)} is not a command or a code${meant}`;
    }
    text = composeCode(section, look);
  }
  print(text, { help: text });
  return 0;
};

/** Columns of a text that goes elsewhere than to a terminal. */
const WIDTH = 80;

/** Columns that a description has at least. */
const LEAST = 24;

const PLAIN: Look = { width: WIDTH, head: (title) => title };

const findLook = (): Look => ({
  width: findWidth(1) ?? WIDTH,
  head: (title) => paint('bold', title),
});

/** The usage of annex. */
export const USAGE = 'annex COMMAND [ARGUMENT...] [OPTION...]';

/** Exit codes, in words. */
const EXIT_CODES = 'Exit codes: 0 success, 1 failure, 2 wrong usage.';

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
    (option) =>
      isShown(option) &&
      option.name !== 'core' &&
      option.name !== 'store' &&
      !wanted.some(({ instead }) => instead === option.name),
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

/** What an argument is, and its only values. */
export const describeArgument = ({ summary, choices }: Argument): string =>
  choices === undefined ? summary : `${summary}: ${joinOr(choices)}`;

/** @example formatOption({ name: 'days', value: 'N', summary: '' }) // '--days N' */
export const formatOption = ({ name, short, value }: Option): string =>
  `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;

/** What an option does, and its default. */
export const describeOption = ({ summary, choices, default: value }: Option): string => {
  const only = choices === undefined ? '' : `: ${joinOr(choices)}`;
  return `${summary}${only}${value === undefined ? '' : ` (default: ${value})`}`;
};

/** The help of annex: all commands in their groups. */
export function composeOverview(look = PLAIN): string {
  const width = Math.max(...COMMANDS.map((row) => formatCalls(row).length));
  const groups = [...GROUPS].map(([title, rows]) =>
    composeSection(
      title,
      rows.map((row) => [formatCalls(row), row.summary]),
      look,
      width,
    ),
  );
  return [
    `${look.head('usage:')} ${USAGE}`,
    ...groups,
    composeSection('Options of every command', GLOBAL.map(toLine), look),
    [
      'annex help COMMAND describes one command, annex help CODE one error.',
      APPLICATION,
      EXIT_CODES,
    ]
      .flatMap((text) => wrap(text, look.width))
      .join('\n'),
  ].join('\n\n');
}

/** @example formatCalls(findCommand('rm')) // 'remove, rm NAME...' */
const formatCalls = (row: Row): string => formatCall({ ...row, name: listWords(row).join(', ') });

/** The help of one command. */
export function composeHelp(row: Row, look = PLAIN): string {
  const { summary, details = [], arguments: wanted = [], options = [], variables, aliases } = row;
  const toParagraph = (text: string): string => wrap(text, look.width).join('\n');
  const sections = [
    `${look.head('usage:')} ${composeUsage(row)}`,
    ...[`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...details].map(toParagraph),
  ];
  if (aliases !== undefined) sections.push(`Also: annex ${aliases.join(', annex ')}.`);
  const named = wanted.map((one): [string, string] => [formatArgument(one), describeArgument(one)]);
  if (named.length > 0) sections.push(composeSection('Arguments', named, look));
  const shown = options.filter(isShown);
  if (shown.length > 0) sections.push(composeSection('Options', shown.map(toLine), look));
  sections.push(composeSection('Options of every command', GLOBAL.map(toLine), look));
  sections.push([look.head('Examples:'), ...row.examples.map((one) => `  ${one}`)].join('\n'));
  if (variables.length > 0) {
    sections.push(toParagraph(`Environment variables: ${variables.join(', ')}`));
  }
  return sections.join('\n\n');
}

const toLine = (option: Option): [string, string] => [formatOption(option), describeOption(option)];

/** Names with their descriptions beside them, below a title. */
function composeSection(
  title: string,
  lines: readonly (readonly [string, string])[],
  look: Look,
  width = Math.max(...lines.map(([name]) => name.length)),
): string {
  const described = lines.flatMap(([name, text]) =>
    wrap(text, Math.max(LEAST, look.width - width - 4)).map(
      (line, at) => `  ${(at === 0 ? name : '').padEnd(width)}  ${line}`,
    ),
  );
  return [look.head(`${title}:`), ...described].join('\n');
}
