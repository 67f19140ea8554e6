/** The completion of fish. */
import { NAMES } from '../table/commands.ts';
import { GLOBAL } from '../table/common-rows.ts';
import { isShown, type Option, type Words } from '../table/row.ts';
import { LIST_FEATURES, listCompleted } from './completion-words.ts';

const OFFERS: Record<Words, string> = {
  commands: `-f -a '${NAMES.join(' ')}'`,
  directories: "-f -a '(__fish_complete_directories)'",
  features: "-f -a '(__annex_features)'",
  files: '-F',
};

/** In single quotes. */
const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

function describeOption({ name, short, value, words, choices, summary }: Option): string {
  const offers = choices === undefined ? words && OFFERS[words] : `-f -a '${choices.join(' ')}'`;
  return [
    ...(short === undefined ? [] : [`-s ${short}`]),
    `-l ${name}`,
    ...(value === undefined ? [] : ['-r', offers ?? '-f']),
    `-d ${quote(summary)}`,
  ].join(' ');
}

/** The script, to be sourced, or to be a file in the directory of completions. */
export function composeFish(): string {
  const commands = listCompleted().flatMap(({ row, names, words, choices }) => {
    const seen = `complete -c annex -n '__fish_seen_subcommand_from ${names.join(' ')}'`;
    const own = (row.options ?? []).filter(isShown);
    return [
      ...names.map(
        (name) => `complete -c annex -n __fish_use_subcommand -a ${name} -d ${quote(row.summary)}`,
      ),
      ...words.map((one) => `${seen} ${OFFERS[one]}`),
      ...(choices.length === 0 ? [] : [`${seen} -f -a '${choices.join(' ')}'`]),
      ...own.map((option) => `${seen} ${describeOption(option)}`),
    ];
  });
  return `# Completion of annex in fish: annex completion fish | source
function __annex_features
  ${LIST_FEATURES}
end

complete -c annex -f
${GLOBAL.map((option) => `complete -c annex ${describeOption(option)}`).join('\n')}
${commands.join('\n')}
`;
}
