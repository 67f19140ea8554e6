/** annex audit [FEATURE...] */
import type { Command } from './command.ts';
import { reportWithNpm } from './npm-report.ts';

/** npm audit over what is in use, with the core's copy where an entry takes it from core. */
export const audit: Command = ({ args, options }) => {
  const json = options.json === true ? ['--json'] : [];
  return reportWithNpm(args, ['audit', '--package-lock-only', ...json], { asksRegistry: true });
};
