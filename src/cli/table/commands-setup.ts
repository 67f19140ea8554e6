/** Rows of the commands that help to set annex up. */
import { PLACE, SETTING_VARIABLES } from './common-rows.ts';
import type { Row } from './row.ts';

export const SETUP: readonly Row[] = [
  {
    name: 'env',
    summary: 'print the lines for a Dockerfile',
    details: [
      'Prints NODE_OPTIONS, ANNEX_STORE, ANNEX_SEALED and ANNEX_CORE with the absolute paths of this machine.',
    ],
    options: PLACE,
    examples: ['annex env >> Dockerfile'],
    variables: SETTING_VARIABLES,
    load: async () => (await import('../setup/env.ts')).env,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    details: [
      'Completes commands, options, and the features of the application in the working directory. For the current shell: source <(annex completion bash).',
    ],
    arguments: [{ name: 'SHELL', summary: 'a shell', choices: ['bash', 'zsh', 'fish'] }],
    examples: [
      'annex completion bash > ~/.local/share/bash-completion/completions/annex',
      'annex completion zsh > ~/.zsh/completions/_annex',
      'annex completion fish > ~/.config/fish/completions/annex.fish',
    ],
    variables: [],
    load: async () => (await import('../setup/completion.ts')).completion,
  },
  {
    name: 'help',
    summary: 'print the help of a command or an error code',
    details: ['For a code it prints the section of docs/errors.md: each reason, and the remedy.'],
    arguments: [
      {
        name: 'COMMAND',
        summary: 'the name of a command, or the code of an error',
        isOptional: true,
        words: 'commands',
      },
    ],
    examples: ['annex help lock', 'annex help ANNEX_OFFLINE'],
    variables: [],
    load: async () => (await import('./help.ts')).help,
  },
];

/** For the scripts of `annex completion` alone: no help, page or completion has it. */
export const COMPLETE: Row = {
  name: '__complete',
  summary: 'print the names of features and packages',
  examples: [],
  variables: ['ANNEX_CORE'],
  load: async () => (await import('../setup/complete.ts')).complete,
};
