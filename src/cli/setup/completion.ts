/** annex completion */
import type { Command } from '../shared/command.ts';
import { composeBash } from './completion-bash.ts';
import { composeFish } from './completion-fish.ts';
import { composeZsh } from './completion-zsh.ts';

const SHELLS: Record<string, () => string> = {
  bash: composeBash,
  fish: composeFish,
  zsh: composeZsh,
};

/** Prints the script that completes commands of annex in a shell. It is made of the table of commands. */
export const completion: Command = ({ args: [shell = ''], print }) => {
  const script = SHELLS[shell]?.() ?? '';
  print(script.trimEnd(), { script });
  return 0;
};
