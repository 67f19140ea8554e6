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
    summary: 'print the help of annex, or of a command',
    arguments: [{ name: 'COMMAND', summary: 'the name of a command', isOptional: true }],
    examples: ['annex help lock'],
    variables: [],
    load: async () => (await import('./help.ts')).help,
  },
];
