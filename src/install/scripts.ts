/** Runs the install scripts of the packages that may, in staging. */
import { readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pickScriptEnv } from '../policy/environment.ts';
import { isWithin } from '../store/layout.ts';
import type { Listings, Refusal } from '../types.ts';
import { inspectTree } from './inspect.ts';
import { runNpm } from './npm.ts';

/** Where scripts run, and for whom. */
export interface ScriptRun {
  /** A directory with a package.json and a node_modules. */
  staging: string;
  /** Names of packages. */
  names: string[];
  /** What stands there before. */
  listings: Listings;
  /** The environment of the installer. */
  env: Record<string, string>;
  signal: AbortSignal;
}

/** What scripts made, changed or removed: path in the entry to sha256, `-> target` of a link, or nothing. */
export type Generated = Record<string, string>;

/** Runs npm rebuild for exactly these packages; what came of it, or why it failed. */
export async function runScripts(run: ScriptRun): Promise<{ generated: Generated } | Refusal> {
  const { staging, names, listings, signal } = run;
  const args = ['rebuild', '--no-ignore-scripts', ...names];
  const refusal = await runNpm({ args, cwd: staging, env: pickScriptEnv(run.env), signal });
  if (refusal !== undefined) {
    return {
      ...refusal,
      reason: `an install script of ${names.join(', ')} failed: ${refusal.reason}`,
    };
  }
  const after = inspectTree(staging, Object.keys(listings));
  const generated: Generated = {};
  for (const oddity of after.oddities) {
    const target = keepLink(staging, join(staging, oddity));
    if (target !== undefined) generated[oddity] = `-> ${target}`;
  }
  for (const [path, listing] of Object.entries(after.listings)) {
    const before = new Set(listings[path]?.split('\n'));
    for (const line of listing.trimEnd().split('\n')) {
      if (!before.has(line)) generated[join(path, line.slice(66))] = line.slice(0, 64);
    }
  }
  for (const [path, listing] of Object.entries(listings)) {
    const now = new Set(after.listings[path]?.split('\n').map((line) => line.slice(66)));
    for (const line of listing.trimEnd().split('\n')) {
      if (!now.has(line.slice(66))) generated[join(path, line.slice(66))] ??= '';
    }
  }
  return { generated };
}

/**
 * A build leaves links to the tools that it used: whatever leads out of the entry goes.
 *
 * @returns the target of a link that stays
 */
function keepLink(staging: string, path: string): string | undefined {
  try {
    const isInside = isWithin(realpathSync(path), join(staging, 'node_modules'));
    if (isInside) return readlinkSync(path);
  } catch {
    // It leads nowhere, or is no link.
  }
  rmSync(path, { force: true });
  return undefined;
}
