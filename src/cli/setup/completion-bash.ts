/** The completion of bash. */
import { NAMES } from '../table/commands.ts';
import { GLOBAL } from '../table/common-rows.ts';
import type { Words } from '../table/row.ts';
import { LIST_FEATURES, listCompleted, listValued, spell } from './completion-words.ts';

/** Words of a fixed list; names of features are not expanded, as `compgen -W` would do. */
const offer = (words: readonly string[]): string =>
  `COMPREPLY+=($(compgen -W '${words.join(' ')}' -- "$cur"))`;

const OFFERS: Record<Words, string> = {
  commands: offer(NAMES),
  directories: '_annex_files -d',
  features: '_annex_features',
  files: '_annex_files -f',
};

/** The script. bash ends words at `@` unless told otherwise, and packages begin with it. */
export function composeBash(): string {
  const valued = listValued();
  const values = valued.map(({ words, choices, ...option }) => {
    const offers = choices === undefined ? words && OFFERS[words] : offer(choices);
    return `    ${spell(option).join('|')}) ${offers ?? ':'}; return ;;`;
  });
  const commands = listCompleted().map(({ names, options, words, choices }) => {
    const offers = [
      ...words.map((one) => OFFERS[one]),
      ...(choices.length === 0 ? [] : [offer(choices)]),
    ];
    const flags = options.flatMap(spell).join(' ');
    const wanted = offers.length === 0 ? '' : ` [[ $cur == -* ]] || { ${offers.join('; ')}; }`;
    return `    ${names.join('|')}) options='${flags}';${wanted} ;;`;
  });
  return `# Completion of annex in bash: source <(annex completion bash)
COMP_WORDBREAKS=\${COMP_WORDBREAKS//@/}

_annex_features() {
  local name
  while IFS= read -r name; do
    [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
  done < <(${LIST_FEATURES})
}

_annex_files() {
  local name
  compopt -o filenames
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$1" -- "$cur")
}

_annex() {
  local cur=\${COMP_WORDS[COMP_CWORD]} command='' options='${GLOBAL.flatMap(spell).join(' ')}' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valued.flatMap(spell).join('|')}) ((i++)) ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case \${COMP_WORDS[COMP_CWORD - 1]} in
${values.join('\n')}
  esac
  case $command in
    '') [[ $cur == -* ]] || ${OFFERS.commands} ;;
${commands.join('\n')}
  esac
  [[ $cur != -* ]] || COMPREPLY+=($(compgen -W "$options" -- "$cur"))
}

complete -F _annex annex
`;
}
