/** annex add NAME[@RANGE]... [--feature FEATURE] */
import { isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { readInstallerEnv } from '../config.ts';
import { listWorkspaces } from '../core.ts';
import { readDeclaration } from '../policy/features.ts';
import { isPackageName } from '../policy/specifier.ts';
import { isRange } from '../ranges.ts';
import { listLocks } from '../sidecar.ts';
import type { Problem } from '../types.ts';
import { type Command, findSettings, warn } from './command.ts';
import { type ManifestFile, readNearestManifest, replaceManifest } from './edit-manifest.ts';
import { describe, type LockResult, lockAll } from './lock.ts';

type Json = Record<string, unknown>;

/**
 * Declares packages as features in the nearest package.json; nothing is installed. Where features
 * are locked, these are locked too; what is declared stays when that fails.
 */
export const add: Command = async ({ args, options, print }) => {
  if (args.length === 0) return undefined;
  const file = readNearestManifest(process.cwd());
  if (file === undefined) {
    return refuse(`there is no package.json in ${process.cwd()} or above: npm init`);
  }
  const packages: Record<string, string> = {};
  for (const arg of args) {
    const { name, range } = splitArgument(arg);
    if (!isPackageName(name)) return refuse(`${JSON.stringify(arg)} is not NAME or NAME@RANGE`);
    const answer = range === undefined ? await findLatest(name, file) : { range };
    if ('problem' in answer) return refuse(`${answer.problem}; name one: annex add ${name}@RANGE`);
    packages[name] = answer.range;
  }
  const features = options.feature === undefined ? Object.keys(packages) : [options.feature];
  const changed = declare(file.manifest, packages, options.feature);
  const problem = findProblem(file, file.manifest, []) ?? findProblem(file, changed, features);
  if (problem !== undefined) return refuse(`${problem.key} ${problem.reason}`);
  replaceManifest(file, changed);
  const list = Object.entries(packages).map(([name, range]) => `${name} ${range}`);
  const locks = await lockToo(file, features);
  const lines = [`declared ${list.join(', ')} in ${file.path}`, ...(locks ?? []).flatMap(describe)];
  print(lines.join('\n'), { path: file.path, packages, features, locks });
  return locks?.every(({ outcome }) => outcome !== 'failed') === false ? 1 : 0;
};

/** Undefined where nothing is locked. */
async function lockToo(file: ManifestFile, names: string[]): Promise<LockResult[] | undefined> {
  const root = dirname(file.path);
  if (listLocks(root).length === 0) return undefined;
  const settings = findSettings();
  if (settings?.core.realRoot !== root) return undefined;
  const { features } = settings.declaration;
  return lockAll(
    settings,
    names.flatMap((name) => features.get(name) ?? []),
  );
}

function refuse(what: string): 1 {
  warn(`${what} (ANNEX_INVALID_CONFIG). Nothing was changed`);
  return 1;
}

function splitArgument(arg: string): { name: string; range?: string } {
  const at = arg.indexOf('@', 1);
  return at === -1 ? { name: arg } : { name: arg.slice(0, at), range: arg.slice(at + 1) };
}

/** A caret range over the version that npm would install, with the registry of the application. */
async function findLatest(
  name: string,
  { path }: ManifestFile,
): Promise<{ range: string } | { problem: string }> {
  const flags = ['--json', '--loglevel=error', '--no-update-notifier', '--fetch-retries=1'];
  const cwd = dirname(path);
  const result = await execa('npm', ['view', ...flags, '--', name, 'version'], {
    cwd,
    env: readInstallerEnv([`${cwd}/.npmrc`]),
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
  if (result.code === 'ENOENT')
    return { problem: `${name} has no range, and there is no npm here` };
  try {
    const version: unknown = JSON.parse(result.stdout);
    if (typeof version === 'string') return { range: `^${version}` };
  } catch {
    // npm said something else than a version.
  }
  return { problem: `${name} has no range, and npm gives no version of it` };
}

function declare(manifest: Json, packages: Record<string, string>, feature?: string): Json {
  const annex = (manifest.annex ?? {}) as Json;
  const before = (annex.features ?? {}) as Json;
  const added = feature === undefined ? packages : { [feature]: extend(before, feature, packages) };
  return { ...manifest, annex: { ...annex, features: { ...before, ...added } } };
}

/** A feature with more packages; its short form becomes the long one. */
function extend(features: Json, feature: string, packages: Record<string, string>): Json {
  const known = Object.hasOwn(features, feature) ? features[feature] : undefined;
  if (typeof known === 'string') return { packages: { [feature]: known, ...packages } };
  const before = (known ?? {}) as { packages?: Json };
  return { ...before, packages: { ...before.packages, ...packages } };
}

/** What is wrong with the key as a whole, or with one of these features. */
function findProblem(
  { path, manifest: { workspaces } }: ManifestFile,
  manifest: Json,
  features: string[],
): Problem | undefined {
  const declaration = readDeclaration(manifest, {
    isBuiltin,
    isRange,
    workspaces: listWorkspaces({ dir: dirname(path), manifest: { workspaces } }),
  });
  const whole = declaration.problems.find(({ key }) => key === 'annex' || key === 'annex.features');
  if (whole !== undefined) return whole;
  return features.map((name) => declaration.features.get(name)?.problem).find(Boolean);
}
