/** Reads the packages that a command line names, as NAME or NAME@RANGE. */
import { AnnexError } from '../../base/error.ts';
import { isPackageName } from '../../base/specifier.ts';
import { startTimeLimit } from '../../base/time-limit.ts';
import { findCutoff } from '../../install/resolve.ts';
import { findNewest, type Newest } from '../../registry/newest.ts';
import { readNpmSettings } from '../../registry/npm-settings.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import { withTemporary } from '../../store/temporary.ts';
import { refuse } from '../shared/command.ts';
import { refuseEdit } from '../shared/declaration.ts';

/**
 * Splits an argument into a package and its range.
 *
 * @throws AnnexError when it does not start with the name of a package
 * @example splitArgument('@acme/beta@^4') // { name: '@acme/beta', range: '^4' }
 */
export function splitArgument(arg: string): { name: string; range?: string } {
  const at = arg.indexOf('@', 1);
  const name = at === -1 ? arg : arg.slice(0, at);
  if (!isPackageName(name)) {
    throw refuseEdit(
      `${JSON.stringify(arg)} is not NAME or NAME@RANGE`,
      'npx annex add NAME@RANGE',
    );
  }
  return at === -1 ? { name } : { name, range: arg.slice(at + 1) };
}

/**
 * Gives packages without a range a caret range of the version that npm would install, as old as a lock requires.
 *
 * @param root directory of the application, whose .npmrc names the registry
 * @throws AnnexError when npm finds no version
 * @example await addRanges([{ name: 'exa-js' }, { name: 'pg', range: '^8' }], root) // { 'exa-js': '^1.10.3', pg: '^8' }
 */
export async function addRanges(
  wanted: readonly { name: string; range?: string | undefined }[],
  root: string,
): Promise<Record<string, string>> {
  const open = wanted.flatMap(({ name, range }) => (range === undefined ? name : []));
  const found = open.length === 0 ? {} : await findVersions(open, root);
  return Object.fromEntries(
    wanted.map(({ name, range }) => {
      const version = found[name]?.wanted;
      if (range !== undefined || version) return [name, range ?? `^${version}`];
      const hint = `${nameAdd(name)}, or accept recent versions: min-release-age=0 in the .npmrc`;
      throw refuseEdit(
        `${name} has no range, and no version that is old enough to be locked`,
        hint,
      );
    }),
  );
}

const nameAdd = (name: string): string => `npx annex add ${name}@RANGE`;

async function findVersions(names: string[], root: string): Promise<Record<string, Newest>> {
  const env = readInstallerEnv({ core: { root }, startEnv: {} });
  const ranges = Object.fromEntries(names.map((name) => [name, '*']));
  const signal = startTimeLimit(60_000);
  try {
    const before = findCutoff(readNpmSettings(root, env), undefined);
    const found = await withTemporary((cwd) =>
      findNewest(ranges, { cwd, core: root, env, signal, before }),
    );
    const newest = Object.entries(found).map(([name, one]): [string, Newest] => {
      if (one instanceof AnnexError) throw one;
      return [name, one];
    });
    return Object.fromEntries(newest);
  } catch (error) {
    if (!(error instanceof AnnexError)) throw error;
    const { code, reason, hint } = error.refusal;
    throw refuse(
      `nothing was changed: no version was found for ${names.join(', ')}: ${reason}`,
      hint,
      code,
    );
  }
}
