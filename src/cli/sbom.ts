/** annex sbom [FEATURE...] [--format cyclonedx|spdx] */
import { withoutPurls } from '../plan/sbom.ts';
import type { Command } from './command.ts';
import { reportWithNpm } from './npm-report.ts';

/** npm sbom over the same: one document, with a component for every feature. */
export const sbom: Command = ({ args, options: { format = 'cyclonedx' } }) => {
  if (format !== 'cyclonedx' && format !== 'spdx') return undefined;
  const npm = ['sbom', '--package-lock-only', `--sbom-format=${format}`];
  return reportWithNpm(args, npm, { asksRegistry: false, rewrite: withoutPurls });
};
