/** annex add NAME[@RANGE]... [--feature FEATURE] */
import { dirname } from 'node:path';
import { execa } from 'execa';
import { isPackageName } from '../base/specifier.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Command } from './command.ts';
import {
  findDeclaring,
  listWritten,
  readFeatures,
  refuse,
  replaceDeclaration,
} from './declaration.ts';
import type { ManifestFile } from './edit-manifest.ts';
import { describe } from './lock.ts';

type Json = Record<string, unknown>;

/**
 * Declares packages as features in the nearest package.json; nothing is installed. Where features
 * are locked, these are locked too; when that fails, nothing is written.
 */
export const add: Command = async ({ args, options, print }) => {
  if (args.length === 0) return undefined;
  const file = findDeclaring();
  if (file === undefined) return 1;
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
  const declared = readFeatures(file, changed).features;
  const refusal = features.map((name) => declared.get(name)?.refusal).find(Boolean);
  if (refusal !== undefined) return refuse(refusal.reason);
  const replaced = await replaceDeclaration(file, changed, features);
  if (replaced === 1) return 1;
  const { locks } = replaced;
  const list = Object.entries(packages).map(([name, range]) => `${name} ${range}`);
  const lines = [`declared ${list.join(', ')} in ${file.path}`, ...(locks ?? []).flatMap(describe)];
  print(lines.join('\n'), { path: file.path, packages, features, locks });
  return 0;
};

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
    env: readInstallerEnv({ core: { root: cwd }, startEnv: {} }),
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
  const before = listWritten(manifest);
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
