/** Explains why npm audit has no report: the registry has no advisories, or does not answer. */
import { isObject } from '../../base/shape.ts';
import { nameUnset, refuseStatus } from '../../registry/failure.ts';
import { describeNpmFailure } from '../../registry/npm-failure.ts';
import type { NpmSettings } from '../../registry/npm-settings.ts';
import { findUnset } from '../../registry/npmrc.ts';
import { hintPublic } from '../../registry/registries.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Refusal } from '../../types.ts';

/** What npm audit printed. */
interface AuditOutput {
  stdout: string;
  stderr: string;
}

/** Whether npm audit failed at the registry. Otherwise it printed a report, with or without vulnerabilities. */
export const hasNoReport = ({ stderr }: AuditOutput): boolean =>
  stderr.includes('audit endpoint returned an error');

/** Statuses of registries that do not know the request. */
const UNKNOWN = [404, 405, 410, 501];

/**
 * Why there is no report.
 *
 * @param output of npm audit --json: as text, npm prints no status
 * @see https://github.com/npm/cli/blob/v11.6.2/lib/utils/audit-error.js
 */
export function refuseAudit(
  { stdout }: AuditOutput,
  { settings, npm }: { settings: Settings; npm: NpmSettings },
): Refusal {
  const { host } = new URL(npm.registryFor(''));
  const { statusCode, message } = parseReport(stdout);
  if (typeof statusCode !== 'number') {
    const summary = typeof message === 'string' ? message : `${host} did not answer`;
    return describeNpmFailure({ stdout: JSON.stringify({ error: { summary } }) });
  }
  if (!UNKNOWN.includes(statusCode)) {
    const refusal = refuseStatus({ label: 'advisories', host }, statusCode);
    return nameUnset(refusal, findUnset(settings));
  }
  return {
    code: 'ANNEX_INVALID_CONFIG',
    reason: `registry ${host} has no advisories: it answered ${statusCode}`,
    hint: hintPublic(npm.registryFor(''), 'npx annex audit'),
  };
}

function parseReport(text: string): { statusCode?: unknown; message?: unknown } {
  try {
    const report: unknown = JSON.parse(text);
    return isObject(report) ? report : {};
  } catch {
    return {};
  }
}
