/** annex add NAME@RANGE... */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { execa } from 'execa';
import { readInstallerEnv } from '../config.ts';
import { listAncestors, listWorkspaces, toRealPath } from '../core.ts';
import { codeOf } from '../errors.ts';
import { readDeclaration } from '../features.ts';
import { isRange } from '../ranges.ts';
import { type Command, warn } from './command.ts';

type Json = Record<string, unknown>;

/** Declares packages as features in the nearest package.json; nothing is installed. */
export const add: Command = async ({ args, options, print }) => {
  if (args.length === 0) return undefined;
  const path = findManifest();
  if (path === undefined) {
    warn(`there is no package.json in ${process.cwd()} or above (ANNEX_INVALID_CONFIG): npm init`);
    return 1;
  }
  const text = readFileSync(path, 'utf8');
  let manifest: Json;
  try {
    manifest = JSON.parse(text) as Json;
  } catch {
    warn(`${path} does not parse as JSON (ANNEX_INVALID_CONFIG); nothing was changed`);
    return 1;
  }
  const packages: Record<string, string> = {};
  for (const arg of args) {
    const { name, range } = splitArgument(arg);
    const resolved = range ?? (await findLatest(name));
    if (resolved === undefined) return 1;
    packages[name] = resolved;
  }
  const changed = declare(manifest, packages, options.feature);
  const declaration = readDeclaration(changed, {
    isBuiltin,
    isRange,
    workspaces: listWorkspaces({ dir: join(path, '..'), manifest }),
  });
  const names = options.feature === undefined ? Object.keys(packages) : [options.feature];
  for (const name of names) {
    const problem = declaration.features.get(name)?.problem;
    if (problem === undefined) continue;
    warn(`${problem.key}: ${problem.reason} (ANNEX_INVALID_CONFIG); nothing was changed`);
    return 1;
  }
  write(path, text, changed);
  const list = Object.entries(packages).map(([name, range]) => `${name} ${range}`);
  print(`declared ${list.join(', ')} in ${path}`, { path, packages, features: names });
  return 0;
};

function findManifest(): string | undefined {
  const paths = listAncestors(process.cwd()).map((dir) => join(dir, 'package.json'));
  const found = paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  return found && toRealPath(found);
}

function splitArgument(arg: string): { name: string; range?: string } {
  const at = arg.indexOf('@', 1);
  return at === -1 ? { name: arg } : { name: arg.slice(0, at), range: arg.slice(at + 1) };
}

async function findLatest(name: string): Promise<string | undefined> {
  const args = [
    'view',
    '--json',
    '--loglevel=error',
    '--no-update-notifier',
    '--',
    name,
    'version',
  ];
  const env = readInstallerEnv([]);
  const result = await execa('npm', args, {
    env,
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
  try {
    const version: unknown = JSON.parse(result.stdout ?? '');
    if (typeof version === 'string') return `^${version}`;
  } catch {
    // Said below, whatever npm printed.
  }
  const how = result.code === 'ENOENT' ? 'there is no npm here' : 'npm knows no version of it';
  warn(
    `${name} has no range, and ${how} (ANNEX_INVALID_CONFIG); name one: annex add ${name}@RANGE`,
  );
  return undefined;
}

function declare(manifest: Json, packages: Record<string, string>, feature?: string): Json {
  const annex = (manifest.annex ?? {}) as Json;
  const features = { ...((annex.features ?? {}) as Json) };
  if (feature === undefined) Object.assign(features, packages);
  else {
    const known = features[feature] as { packages?: Json } | string | undefined;
    const before = typeof known === 'string' ? { [feature]: known } : known?.packages;
    const rest = typeof known === 'object' ? known : {};
    features[feature] = { ...rest, packages: { ...before, ...packages } };
  }
  return { ...manifest, annex: { ...annex, features } };
}

/** Keeps indentation, line ends and mode; the file is replaced whole or not at all. */
function write(path: string, before: string, manifest: Json): void {
  const indent = /^[ \t]+(?=")/m.exec(before)?.[0] ?? '  ';
  const json = JSON.stringify(manifest, undefined, indent);
  const end = before.includes('\r\n') ? '\r\n' : '\n';
  const text = json.replaceAll('\n', end) + (/\n$/.test(before) ? end : '');
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: statSync(path).mode });
    renameSync(temporary, path);
  } catch (error) {
    throw new Error(`${path} cannot be written (${codeOf(error)}); nothing was changed`, {
      cause: error,
    });
  }
}
