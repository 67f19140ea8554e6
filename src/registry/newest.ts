/** Asks npm for the newest versions of packages. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { ownOf } from '../base/shape.ts';
import { describeNpmFailure } from './npm-failure.ts';
import { callNpm, type NpmRun, runNpm } from './run-npm.ts';

/** The newest versions of a package; null when those in the range are too recent. */
export interface Newest {
  /** In the range: npm would install it. */
  wanted: string | null;
  /** The one with the tag `latest`, as long as it is old enough. */
  latest: string | null;
}

/**
 * Finds the newest versions. `npm outdated` chooses them, so that tags, deprecations, engines and ages
 * count as in an install.
 *
 * @param ranges name to range
 * @param run `cwd` is where npm gets a working directory for each run; its caller removes them
 * @param run.before versions published after this ISO date are not chosen
 * @returns for each package its versions, or why the registry does not show it
 * @throws AnnexError when a registry cannot be reached; the signal's reason
 * @see https://docs.npmjs.com/cli/v11/commands/npm-outdated
 * @example (await findNewest({ 'exa-js': '^1.9' }, run))['exa-js'] // { wanted: '1.10.3', latest: '2.0.1' }
 */
export async function findNewest(
  ranges: Record<string, string>,
  { before, cwd: dir, env, ...rest }: Omit<NpmRun, 'args'> & { before?: string | undefined },
): Promise<Record<string, Newest | AnnexError>> {
  const cwd = makeProject(dir, ranges);
  // Without a network npm would answer from its own cache.
  const run = { ...rest, env: { ...env, npm_config_cache: join(dir, 'cache') } };
  const limit = before === undefined ? [] : [`--before=${before}`];
  const args = ['outdated', '--json', '--no-workspaces', ...limit];
  const end = await callNpm({ ...run, cwd, args });
  const found = readReport(end.stdout);
  if (found === undefined) throw new AnnexError(describeNpmFailure(end));
  const newest: [string, Newest | AnnexError][] = [];
  for (const name of Object.keys(ranges)) {
    const { wanted, latest } = ownOf(found, name) ?? {};
    // npm skips a package that the registry refuses, and one without a version that is old enough.
    const refused =
      wanted === undefined
        ? await findError({ ...run, cwd: makeProject(dir), args: ['view', name, 'version'] })
        : undefined;
    newest.push([name, refused ?? { wanted: wanted ?? null, latest: latest ?? null }]);
  }
  return Object.fromEntries(newest);
}

/** The error of an npm command; undefined when it succeeds. */
async function findError(run: NpmRun): Promise<AnnexError | undefined> {
  try {
    await runNpm(run);
    return undefined;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof AnnexError) return error;
    throw error;
  }
}

function makeProject(dir: string, dependencies: Record<string, string> = {}): string {
  const cwd = mkdtempSync(join(dir, 'newest-'));
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ private: true, dependencies }));
  return cwd;
}

/** The report: nothing is installed, so it lists every package. undefined for a failure. */
function readReport(stdout: string): Record<string, Partial<Newest>> | undefined {
  try {
    const report = JSON.parse(stdout) as Record<string, Partial<Newest> & { summary?: string }>;
    return report.error?.summary === undefined ? report : undefined;
  } catch {
    return undefined;
  }
}
