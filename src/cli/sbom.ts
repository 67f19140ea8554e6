/** annex sbom [FEATURE...] [--format cyclonedx|spdx] */
import type { Command } from './command.ts';
import { reportWithNpm } from './npm-report.ts';

/** npm sbom over the same: one document, with a component for every feature. */
export const sbom: Command = ({ args, options: { format = 'cyclonedx' } }) => {
  if (format !== 'cyclonedx' && format !== 'spdx') return undefined;
  return reportWithNpm(args, ['sbom', '--package-lock-only', `--sbom-format=${format}`], false);
};
