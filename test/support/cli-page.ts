/** Composes docs/cli.md from the table of commands. */
import { wrap } from '../../src/base/layout.ts';
import { COMMANDS, GROUPS } from '../../src/cli/table/commands.ts';
import { GLOBAL } from '../../src/cli/table/common-rows.ts';
import {
  APPLICATION,
  composeUsage,
  describeArgument,
  formatArgument,
  formatOption,
} from '../../src/cli/table/help.ts';
import { isShown, type Option, type Row } from '../../src/cli/table/row.ts';

/** Tables, headings, blocks of code and comments, which are not broken into lines. */
const IS_WHOLE = /^(?:[#|<]|```)/;

/** The whole page. */
export function composePage(): string {
  return [
    '# Command line',
    '<!-- Written by test/unit/project/cli-page.test.ts from the table of commands in src/cli. -->',
    '`annex help COMMAND` prints what this page says about a command.',
    [...GROUPS].map(composeGroup).join('\n\n'),
    '## Options of every command',
    composeOptions(GLOBAL),
    '[json.md](json.md) describes what commands print with `--json`.',
    `${APPLICATION} Without one, commands fail. \`--core\` and \`--store\` count as \`ANNEX_CORE\` and \`ANNEX_STORE\`; relative paths start at the working directory, after \`-C\`.`,
    '`add`, `init`, `remove` and `scan` use the nearest `package.json`, and take neither option.',
    '## On a terminal',
    'A command says on stderr which application and which store it uses, headings and states are coloured, and tables and texts fit the width. Where the words of a row do not fit side by side, the row is a block with one cell a line. In a pipe or a file, text is plain, and a row of a table is one line. `NO_COLOR=1` turns colours off, `FORCE_COLOR=1` turns them on everywhere, and `FORCE_COLOR=0` turns them off.',
    '## Exit codes',
    table(
      ['code', 'meaning'],
      [
        ['0', 'success'],
        ['1', 'failure: the command says why on stderr'],
        ['2', 'wrong usage: nothing was done'],
      ],
    ),
    '`annex refresh` never exits with 1. `annex audit` exits with the exit code of npm. `lock`, `lock --check`, `install --all` and `bake` without features exit with 1 if a key of `annex` outside its features is invalid.',
    '`bake`, `install`, `lock`, `refresh`, `prune`, `audit` and `sbom` ignore copies that the application does not ship.',
    ...COMMANDS.map(composeCommand),
  ]
    .flatMap((part) => part.split('\n\n'))
    .map((part) => (IS_WHOLE.test(part) ? part : wrap(part, 120).join('\n')))
    .join('\n\n')
    .concat('\n');
}

const composeGroup = ([title, rows]: readonly [string, readonly Row[]]): string =>
  table(
    [title, ''],
    rows.map((row) => [`[${row.name}](#annex-${row.name})`, row.summary]),
  );

function composeCommand(row: Row): string {
  const { name, aliases, summary, details = [], arguments: wanted = [], options = [] } = row;
  const shown = options.filter(isShown);
  const parts = [
    `## annex ${name}`,
    fence('text', [composeUsage(row)]),
    ...[`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...details],
  ];
  if (aliases !== undefined) {
    parts.push(`Also: ${aliases.map((one) => `\`annex ${one}\``).join(', ')}.`);
  }
  if (wanted.length > 0) {
    const rows = wanted.map((one) => [
      `\`${escapeBars(formatArgument(one))}\``,
      describeArgument(one),
    ]);
    parts.push(table(['argument', 'meaning'], rows));
  }
  if (shown.length > 0) parts.push(composeOptions(shown));
  parts.push(fence('sh', row.examples));
  if (row.variables.length > 0) {
    parts.push(`Environment variables: ${row.variables.map((one) => `\`${one}\``).join(', ')}.`);
  }
  return parts.join('\n\n');
}

const composeOptions = (options: readonly Option[]): string =>
  table(
    ['option', 'default', 'meaning'],
    options.map((option) => [
      `\`${formatOption(option)}\``,
      option.default ?? '',
      option.choices === undefined
        ? option.summary
        : `${option.summary}: ${option.choices.join(' or ')}`,
    ]),
  );

const fence = (language: string, lines: readonly string[]): string =>
  [`\`\`\`${language}`, ...lines, '```'].join('\n');

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** A bar ends a cell of a table. */
const escapeBars = (text: string): string => text.replaceAll('|', '\\|');
