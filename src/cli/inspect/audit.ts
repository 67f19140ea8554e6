/** annex audit */
import type { Command } from '../shared/command.ts';
import { reportWithNpm } from './npm-report.ts';

/** Runs npm audit on the packages in use. With the word `signatures` it verifies signatures. */
export const audit: Command = async (invocation) => {
  const { args, options } = invocation;
  const [first, ...rest] = args;
  if (first === 'signatures') {
    const { auditSignatures } = await import('./audit-signatures.ts');
    return auditSignatures({ ...invocation, args: rest });
  }
  const json = options.json === true ? ['--json'] : [];
  return reportWithNpm(args, ['audit', '--package-lock-only', ...json], { asksRegistry: true });
};
