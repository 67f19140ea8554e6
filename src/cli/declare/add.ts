/** annex add */
import { execa } from 'execa';
import { isPackageName } from '../../base/specifier.ts';
import { readInstallerEnv } from '../../settings/environment.ts';
import type { Command } from '../shared/command.ts';
import {
  readDeclaringFile,
  readFeaturePackages,
  readFeatures,
  refuseEdit,
  replaceDeclaration,
  withFeatures,
  withPackages,
} from '../shared/declaration.ts';
import { formatVersions } from '../shared/format.ts';
import { describeLock } from '../shared/lock-features.ts';

/**
 * Declares packages as features in the nearest package.json; nothing is installed. Where features
 * are locked, these are locked too; if that fails, nothing is written.
 */
export const add: Command = async ({ args, options: { feature }, print }) => {
  const file = readDeclaringFile();
  const packages: Record<string, string> = {};
  for (const arg of args) {
    const { name, range } = splitArgument(arg);
    packages[name] = range ?? (await findLatest(name, file.root));
  }
  const before = file.features;
  const changed =
    feature === undefined
      ? { ...before, ...packages }
      : withPackages(before, feature, { ...readFeaturePackages(before, feature), ...packages });
  const features = feature === undefined ? Object.keys(packages) : [feature];
  const manifest = withFeatures(file, changed);
  const declared = readFeatures(file, manifest).features;
  const invalid = features.flatMap((name) => declared.get(name)?.refusal ?? [])[0];
  if (invalid !== undefined) throw refuseEdit(invalid.reason, 'annex add NAME@RANGE');
  const locks = await replaceDeclaration(file, manifest, features);
  const declaration = `declared ${formatVersions(packages)} in ${file.path}`;
  const lines = [declaration, ...(locks ?? []).flatMap(describeLock)];
  print(lines.join('\n'), { path: file.path, packages, features, locks }, { core: file });
  return 0;
};

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
    throw refuseEdit(`${JSON.stringify(arg)} is not NAME or NAME@RANGE`, 'annex add NAME@RANGE');
  }
  return at === -1 ? { name } : { name, range: arg.slice(at + 1) };
}

/**
 * A caret range of the version that npm would install, from the registry of the application.
 *
 * @param cwd directory of the application
 * @param hint of the error
 * @throws AnnexError when npm finds none
 */
export async function findLatest(
  name: string,
  cwd: string,
  hint = `annex add ${name}@RANGE`,
): Promise<string> {
  const flags = ['--json', '--loglevel=error', '--no-update-notifier', '--fetch-retries=1'];
  const { code, stdout } = await execa('npm', ['view', ...flags, '--', name, 'version'], {
    cwd,
    env: readInstallerEnv({ core: { root: cwd }, startEnv: {} }),
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
  try {
    const version: unknown = JSON.parse(stdout ?? '');
    if (typeof version === 'string') return `^${version}`;
  } catch {
    // npm failed, or printed something else.
  }
  const why = code === 'ENOENT' ? 'npm is not installed' : 'npm finds no version';
  throw refuseEdit(`${name} has no range, and ${why}`, hint);
}
