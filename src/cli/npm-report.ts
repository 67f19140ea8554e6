/** Runs a command of npm that only reads, over what is in use of some features. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readPackage } from '../app/core.ts';
import { writeLine } from '../base/log.ts';
import { redact } from '../base/messages.ts';
import { isPackageName } from '../base/specifier.ts';
import { composeReportPart } from '../lock/report.ts';
import { composePortfolio, type Part } from '../plan/portfolio.ts';
import { nameProject } from '../plan/project.ts';
import { readNpmSettings } from '../registry/npm-settings.ts';
import { callNpm } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import { withTemporary } from '../store/temporary.ts';
import { findFeatures, findSettings, warn } from './command.ts';

/**
 * Whatever an .npmrc leaves out of an install of the application: these are installed. Not
 * `--workspaces`: npm sbom then looks for each by its name, and fails at one with a dot.
 */
const WHOLE = [
  '--workspaces=null',
  '--include=prod',
  '--include=optional',
  '--include=peer',
  '--no-legacy-peer-deps',
];

/** How a report is made. */
export interface Reporting {
  /** npm would find nothing wrong with anything when it may not ask. */
  asksRegistry: boolean;
  /**
   * Changes what npm printed.
   *
   * @param projects what no registry has, as `NAME@VERSION`: the features, and a core without a name
   */
  rewrite?: (text: string, projects: ReadonlySet<string>) => string;
}

/**
 * Prints what npm prints, for these features or all.
 *
 * @returns npm's exit code; 1 when a feature could not be looked at
 */
export async function reportWithNpm(
  names: string[],
  args: string[],
  { asksRegistry, rewrite = (text) => text }: Reporting,
): Promise<number> {
  const settings = findSettings();
  if (settings === undefined) return 1;
  const { core, timeout } = settings;
  const env = readInstallerEnv(settings);
  if (asksRegistry && readNpmSettings(core.root, env).offline) {
    warn('npm is set to be offline, and what is known of packages has to be asked of the registry');
    return 1;
  }
  const features = findFeatures(settings, names);
  if (features === undefined) return 1;
  const parts: Part[] = [];
  let isWhole = true;
  for (const feature of features) {
    const part = composeReportPart(settings, feature);
    if ('reason' in part) {
      warn(`${feature.name} is left out: ${part.reason}`);
      isWhole &&= part.isExpected;
    } else parts.push(part);
  }
  if (parts.length === 0) {
    warn('there is nothing to report on');
    return 1;
  }
  const whole = nameCore(core.root);
  return withTemporary(async (temporary) => {
    // npm names the whole after the directory.
    const cwd = join(temporary, whole.name);
    const files = composePortfolio(whole, parts);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    }
    const signal = AbortSignal.timeout(timeout);
    const end = await callNpm({ args: [...args, ...WHOLE], cwd, core: core.root, env, signal });
    const projects = parts.map(({ slug }) => nameProject(slug));
    if (whole.name === UNNAMED) projects.push(whole);
    const ids = new Set(projects.map(({ name, version }) => `${name}@${version}`));
    if (end.stdout !== '') writeLine(1, rewrite(end.stdout, ids));
    if (end.stderr !== '') writeLine(2, redact(end.stderr));
    if (end.exitCode === undefined) warn(`npm did not run: ${end.code ?? end.signal ?? 'unknown'}`);
    return (end.exitCode ?? 1) || (isWhole ? 0 : 1);
  });
}

const UNNAMED = 'core';

/** As its package.json has it; a private application often says neither. */
function nameCore(root: string): { name: string; version: string } {
  const { name, version } = readPackage(root) ?? {};
  return {
    name: typeof name === 'string' && isPackageName(name) ? name : UNNAMED,
    version: typeof version === 'string' ? version : '0.0.0',
  };
}
