/** Runs npm on the packages in use, for the commands that print a report of npm. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createLookup } from '../../app/lookup.ts';
import { AnnexError } from '../../base/error.ts';
import { writeLine } from '../../base/log.ts';
import { redact } from '../../base/messages.ts';
import { readPackage } from '../../base/package-json.ts';
import { satisfiesWithPrereleases } from '../../base/semver.ts';
import { isPackageName } from '../../base/specifier.ts';
import { startTimeLimit } from '../../base/time-limit.ts';
import { findBuildDate } from '../../lock/made.ts';
import { composeReportPart } from '../../lock/report.ts';
import { composeWorkspace, nameProject } from '../../plan/project.ts';
import { readNpmSettings } from '../../registry/npm-settings.ts';
import { callNpm } from '../../registry/run-npm.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import type { Feature } from '../../settings/feature.ts';
import type { Settings } from '../../settings/settings.ts';
import { withTemporary } from '../../store/temporary.ts';
import { readSettings, refuse, selectFeatures, warn } from '../shared/command.ts';
import { collectParts } from '../shared/left-out.ts';
import { hasNoReport, refuseAudit } from './audit-failure.ts';

/**
 * Overrides an .npmrc that omits dependencies of the application. Not `--workspaces`: npm sbom then
 * searches for each by its name, and fails at a name with a dot.
 */
const WHOLE = [
  '--workspaces=null',
  '--include=prod',
  '--include=optional',
  '--include=peer',
  '--no-legacy-peer-deps',
];

/** How a report is made. */
interface Reporting {
  /** Whether npm needs the registry: if it is set to offline, npm audit finds nothing. */
  asksRegistry: boolean;
  /**
   * Changes the report.
   *
   * @param projects projects in the report that no registry has, as `NAME@VERSION`
   * @param date of the content
   */
  rewrite?: (text: string, projects: ReadonlySet<string>, date: string) => string;
}

/**
 * Prints the report of npm on these features; without names, on all. The core's copy counts where an entry shares it.
 *
 * @param args of npm
 * @returns npm's exit code; 1 when a feature was left out that should not be
 */
export async function reportWithNpm(
  names: string[],
  args: string[],
  { asksRegistry, rewrite = (text) => text }: Reporting,
): Promise<number> {
  const settings = readSettings();
  const { core, timeout } = settings;
  const env = readInstallerEnv(settings);
  const npm = readNpmSettings(core.root, env);
  if (asksRegistry && npm.offline) {
    const reason = 'npm is set to offline, and only the registry has advisories';
    throw refuse(reason, 'remove that setting', 'ANNEX_OFFLINE');
  }
  const features = selectFeatures(settings, names);
  const { parts, isWhole } = collectParts(features, (feature) =>
    composeReportPart(settings, feature),
  );
  if (parts.length === 0) {
    throw refuse(
      'there is nothing to report on',
      'npx annex lock FEATURE, or npx annex install FEATURE',
    );
  }
  const whole = nameCore(core.root);
  return withTemporary(async (temporary) => {
    // npm names the report after the directory.
    const cwd = join(temporary, whole.name);
    const files = composeWorkspace(whole, parts);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    }
    const signal = startTimeLimit(timeout);
    const run = (...more: string[]) =>
      callNpm({ args: [...args, ...WHOLE, ...more], cwd, core: core.root, env, signal });
    const end = await run();
    if (asksRegistry && hasNoReport(end)) {
      const output = args.includes('--json') ? end : await run('--json');
      throw new AnnexError(refuseAudit(output, { settings, npm }));
    }
    const projects = parts.map(({ slug }) => nameProject(slug));
    if (whole.name === UNNAMED) projects.push(whole);
    const ids = new Set(projects.map(({ name, version }) => `${name}@${version}`));
    if (end.stdout !== '')
      writeLine(1, rewrite(end.stdout, ids, findContentDate(settings, features)));
    if (end.stderr !== '') writeLine(2, redact(end.stderr));
    if (end.exitCode === undefined) warn(`npm did not run: ${end.code ?? end.signal ?? 'unknown'}`);
    return (end.exitCode ?? 1) || (isWhole ? 0 : 1);
  });
}

/** When the newest of these locks last changed, unless the build names a time. */
function findContentDate(settings: Settings, features: readonly Feature[]): string {
  const dates = features.map(
    (feature) => createLookup(settings, feature).readLock().pin?.sidecar.made?.date ?? '',
  );
  const newest = dates.sort((a, b) => (a < b ? -1 : 1)).findLast((one) => DATE.test(one));
  return findBuildDate() ?? newest ?? '1970-01-01T00:00:00Z';
}

const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

const UNNAMED = 'core';

/** npm sbom fails for any other version of the application. */
const isVersion = (value: unknown): value is string =>
  typeof value === 'string' && satisfiesWithPrereleases(value, '*');

/** Name and version in package.json; a private application often has neither. */
function nameCore(root: string): { name: string; version: string } {
  const { name, version } = readPackage(root) ?? {};
  return {
    name: typeof name === 'string' && isPackageName(name) ? name : UNNAMED,
    version: isVersion(version) ? version : '0.0.0',
  };
}
