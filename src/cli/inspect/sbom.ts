/** annex sbom */
import { rewriteSbom } from '../../plan/sbom.ts';
import type { Command } from '../shared/command.ts';
import { reportWithNpm } from './npm-report.ts';

/** Runs npm sbom on the packages in use: one document, with a component for each feature. */
export const sbom: Command = ({ args, options: { format = 'cyclonedx' } }) => {
  const npm = ['sbom', '--package-lock-only', `--sbom-format=${format}`];
  return reportWithNpm(args, npm, { asksRegistry: false, rewrite: rewriteSbom });
};
