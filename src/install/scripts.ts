/** Runs install scripts in the staging directory: those of the packages that the feature allows. */
import { lstatSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { readPackage } from '../base/package-json.ts';
import type { LockNode } from '../plan/graph.ts';
import { describePackage } from '../plan/identity.ts';
import {
  describeNpmFailure,
  type NpmEnd,
  readScriptOutput,
  summarizeOutput,
} from '../registry/npm-failure.ts';
import { callNpm, DEFAULT_PATH } from '../registry/run-npm.ts';
import { readInstallerEnv } from '../settings/environment.ts';
import type { Feature } from '../settings/feature.ts';
import { pickScriptEnv } from '../settings/installer-env.ts';
import { describeOutput, writeOutput } from '../store/failure-directory.ts';
import { findNotGenerated, sizeOf } from '../store/listing.ts';
import type { Refusal } from '../types.ts';
import { checkAddons } from './addons.ts';
import type { Closure, ClosureJob } from './closure.ts';
import { findGenerated, type Generated } from './generated.ts';
import { writePrograms } from './programs.ts';

/** Scripts to run. */
export interface ScriptRun extends ClosureJob {
  store: string;
  /** Path of the staging directory. */
  staging: string;
  /** The packages in it, as they were unpacked. */
  closure: Closure;
  /** Names of the packages whose scripts run. */
  names: string[];
}

/**
 * Sorts the packages that have an install script by whether the feature allows it. The package.json
 * of each package decides: a registry does not always list scripts.
 *
 * @returns `scripts`: names of allowed packages; `unrun`: the others, as `NAME VERSION`
 */
export function sortScripts(
  nodes: LockNode[],
  staging: string,
  feature: Feature,
): { scripts: string[]; unrun: string[] } {
  const all = nodes.filter(({ path }) => hasInstallScript(join(staging, path)));
  const filter = (isAllowed: boolean): LockNode[] =>
    all.filter(({ name }) => feature.scripts.includes(name) === isAllowed);
  return {
    scripts: [...new Set(filter(true).map(({ name }) => name))],
    unrun: filter(false).map(({ name, version }) => `${name} ${version}`),
  };
}

/**
 * Whether npm would run an install script of a package: one of its package.json, or `node-gyp
 * rebuild` for a binding.gyp.
 *
 * @see https://github.com/npm/cli/blob/v11.6.2/workspaces/arborist/lib/arborist/rebuild.js#L200
 */
function hasInstallScript(dir: string): boolean {
  const { scripts, gypfile } = readPackage(dir) ?? {};
  const { preinstall, install, postinstall } = (scripts ?? {}) as Record<string, unknown>;
  if (preinstall || install || postinstall) return true;
  const gyp = lstatSync(join(dir, 'binding.gyp'), { throwIfNoEntry: false });
  return gypfile !== false && gyp?.isFile() === true;
}

/** npm may be configured to refuse scripts; here `npm rebuild NAME` runs those of NAME and no others. */
const ALLOW_SCRIPTS = ['--no-ignore-scripts', '--dangerously-allow-all-scripts'];

/**
 * Runs the install scripts of exactly the named packages.
 *
 * @returns what the scripts made, changed and removed
 * @throws AnnexError when a script fails, changes a package that is not allowed to run scripts, or
 *   builds an addon for another Node
 */
export async function runScripts(run: ScriptRun): Promise<Generated> {
  const { lookup, staging, closure, names, signal } = run;
  if (names.length === 0) return {};
  const env = pickScriptEnv(readInstallerEnv(lookup.settings));
  const args = ['rebuild', '--json', '--no-workspaces', ...ALLOW_SCRIPTS, ...names];
  const programs = writePrograms(staging, closure.nodes);
  const path = [env.PATH ?? DEFAULT_PATH, programs].join(delimiter);
  const end = await callNpm({ args, cwd: staging, env: { ...env, PATH: path }, signal });
  if (end.failed) throw new AnnexError(refuseScript(run, end));
  const generated = findGenerated(staging, closure.fetched.listings);
  const paths = Object.keys(generated).filter(
    (path) => !Number.isNaN(sizeOf(generated[path] ?? '')),
  );
  await checkAddons({ staging, paths, names, env, signal });
  const packages = closure.nodes.map(describePackage);
  const forbidden = findNotGenerated(Object.entries(generated), packages, names);
  if (forbidden !== undefined) throw new AnnexError(refuseChange(names, forbidden));
  return generated;
}

function refuseScript({ names, store, lookup }: ScriptRun, end: NpmEnd): Refusal {
  const refusal = describeNpmFailure(end);
  const output = readScriptOutput(end);
  const what = `an install script of ${names.join(', ')} failed`;
  if (output === undefined) return { ...refusal, reason: `${what}: ${refusal.reason}` };
  const summary = summarizeOutput(output) || 'it printed nothing';
  const file = writeOutput(store, lookup.feature.slug, output);
  const hint = file === undefined ? refusal.hint : describeOutput(file);
  return { code: refusal.code, reason: `${what}: ${summary}`, hint };
}

/** A lock cannot distinguish such a change from tampering: the entry would never be valid. */
const refuseChange = (names: string[], path: string): Refusal => ({
  code: 'ANNEX_INSTALL_FAILED',
  reason: `an install script of ${names.join(', ')} changed ${path}, and a script may only change its own package`,
  hint: `remove ${names.join(', ')} from "scripts" of the feature, or use another version`,
});
