/** The completion of zsh. */
import { COMMANDS } from '../table/commands.ts';
import { GLOBAL } from '../table/common-rows.ts';
import type { Option, Row, Words } from '../table/row.ts';
import { LIST_FEATURES, listCompleted, listValued, spell } from './completion-words.ts';

const OFFERS: Record<Words, string> = {
  commands: '_describe command commands',
  directories: '_files -/',
  features: '_annex_features',
  files: '_files',
};

/** In single quotes. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A word with its description, which a colon separates. */
const describe = (word: string, summary: string): string =>
  quote(`${word.replaceAll(':', '\\:')}:${summary}`);

const describeOptions = (options: readonly Option[]): string =>
  options
    .flatMap((option) => spell(option).map((word) => describe(word, option.summary)))
    .join(' ');

const describeCommand = ({ name, aliases = [], summary }: Row): string[] =>
  [name, ...aliases].map((word) => describe(word, summary));

/** The script, to be sourced, or to be a file `_annex` in a directory of `fpath`. */
export function composeZsh(): string {
  const valued = listValued();
  const values = valued.map(({ words, choices, ...option }) => {
    const offers = choices === undefined ? words && OFFERS[words] : `compadd ${choices.join(' ')}`;
    return `    (${spell(option).join('|')}) ${offers ?? ':'}; return ;;`;
  });
  const commands = listCompleted().map(({ names, options, words, choices }) => {
    const offers = words.map((one) => OFFERS[one]);
    if (choices.length > 0) offers.push(`compadd ${choices.join(' ')}`);
    return `    (${names.join('|')})
      options=(${describeOptions(options)})
${offers.map((one) => `      [[ $words[CURRENT] == -* ]] || ${one}\n`).join('')}      ;;`;
  });
  return `#compdef annex
# Completion of annex in zsh: source <(annex completion zsh)

_annex_features() {
  local -a names
  names=("\${(@f)$(${LIST_FEATURES})}")
  compadd -a names
}

_annex() {
  local -a commands options
  local command i
  commands=(${COMMANDS.flatMap(describeCommand).join(' ')})
  options=(${describeOptions(GLOBAL)})
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      (${valued.flatMap(spell).join('|')}) ((i++)) ;;
      (-*) ;;
      (*) command=$words[i]; break ;;
    esac
  done
  case $words[CURRENT-1] in
${values.join('\n')}
  esac
  case $command in
    ('') [[ $words[CURRENT] == -* ]] || ${OFFERS.commands} ;;
${commands.join('\n')}
  esac
  [[ $words[CURRENT] != -* ]] || _describe option options
}

if [[ $funcstack[1] == _annex ]]; then _annex "$@"; else compdef _annex annex; fi
`;
}
