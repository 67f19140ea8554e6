/** Rows of the commands that help to set annex up. */
import { PLACE, SETTINGS } from './common-rows.ts';
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
    variables: SETTINGS,
    load: async () => (await import('./env.ts')).env,
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
      },
    ],
    examples: ['annex help lock', 'annex help ANNEX_OFFLINE'],
    variables: [],
    load: async () => (await import('./help.ts')).help,
  },
];
