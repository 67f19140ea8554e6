/** Runs the install scripts of the packages that may, in staging. */
import { lstatSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { readPackage } from '../app/core.ts';
import { isWithin } from '../base/store-layout.ts';
import type { LockNode } from '../plan/graph.ts';
import { describeNpmFailure, readScriptOutput, summarizeOutput } from '../registry/npm-failure.ts';
import { callNpm } from '../registry/run-npm.ts';
import type { Feature } from '../settings/feature.ts';
import { pickScriptEnv } from '../settings/installer-env.ts';
import type { Listings } from '../store/listing.ts';
import { eachLine } from '../store/listing.ts';
import { describeOutput, writeOutput } from '../store/script-output.ts';
import type { Refusal } from '../types.ts';
import { findForeignAddon } from './addons.ts';
import { inspectTree } from './inspect.ts';

/** Where scripts run, and for whom. */
export interface ScriptRun {
  /** A directory with a package.json and a node_modules. */
  staging: string;
  /** Names of packages. */
  names: string[];
  /** What is in the packages before. */
  listings: Listings;
  /** The environment of the installer. */
  env: Record<string, string>;
  signal: AbortSignal;
  store: string;
  slug: string;
}

/** What scripts made, changed or removed: path in the entry to its value in a listing, empty when it went. */
export type Generated = Record<string, string>;

/**
 * Which of the packages have an install script, by whether the feature allows it. Their own
 * package.json decides: what a registry says of it is not always there.
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

/**
 * npm may be set to refuse scripts that its own list does not name. Which run is the list of the
 * feature: `npm rebuild NAME` runs no others.
 */
const FLAGS = ['--no-ignore-scripts', '--dangerously-allow-all-scripts'];

/** Runs npm rebuild for exactly these packages; what came of it, or why it failed. */
export async function runScripts(run: ScriptRun): Promise<{ generated: Generated } | Refusal> {
  const { staging, names, listings, signal } = run;
  const env = pickScriptEnv(run.env);
  const args = ['rebuild', '--json', '--no-workspaces', ...FLAGS, ...names];
  const end = await callNpm({ args, cwd: staging, env, signal });
  if (end.failed) return refuseScript(run, describeNpmFailure(end), readScriptOutput(end));
  const generated = findGenerated(staging, listings);
  const made = Object.entries(generated).filter(([, is]) => is !== '' && !is.startsWith('-> '));
  const paths = made.map(([path]) => path);
  const foreign = await findForeignAddon({ staging, paths, names, env, signal });
  return foreign ?? { generated };
}

/** @param output what the script printed; undefined when npm itself failed */
function refuseScript(
  { names, store, slug }: ScriptRun,
  refusal: Refusal,
  output: string | undefined,
): Refusal {
  const what = `an install script of ${names.join(', ')} failed`;
  if (output === undefined) return { ...refusal, reason: `${what}: ${refusal.reason}` };
  const said = summarizeOutput(output) || 'it printed nothing';
  const file = writeOutput(store, slug, output);
  const hint = file === undefined ? refusal.hint : describeOutput(file);
  return { code: refusal.code, reason: `${what}: ${said}`, hint };
}

function findGenerated(staging: string, listings: Listings): Generated {
  const { files, oddities } = inspectTree(staging);
  const generated: Generated = {};
  for (const oddity of oddities) {
    const target = keepLink(staging, join(staging, oddity));
    if (target !== undefined) generated[oddity] = `-> ${target}`;
  }
  for (const [owner, listing] of Object.entries(listings)) {
    eachLine(listing, (name, before) => {
      const path = `${owner}/${name}`;
      const now = files.get(path);
      files.delete(path);
      if (now !== before) generated[path] ??= now ?? '';
    });
  }
  // Whatever no package came with.
  for (const [path, value] of files) generated[path] = value;
  return generated;
}

/**
 * A build leaves links to the tools that it used: whatever leads out of the entry goes.
 *
 * @returns the target of a link that stays
 */
function keepLink(staging: string, path: string): string | undefined {
  try {
    const target = readlinkSync(path);
    const isInside = isWithin(realpathSync(path), join(staging, 'node_modules'));
    // The path of staging is not that of the entry.
    if (isInside && !isAbsolute(target)) return target;
  } catch {
    // It leads nowhere, or is no link.
  }
  rmSync(path, { force: true });
  return undefined;
}
