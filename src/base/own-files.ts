/** Where annex's own files are, also for a copy of its code that is part of the application's bundle. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from './files.ts';

/** Defined by scripts/build.mjs, so that no process reads a file for it. */
declare const ANNEX_VERSION: string | undefined;

/** The version in package.json when dist/ was built; unknown in src/. */
export const version: string =
  typeof ANNEX_VERSION === 'undefined' ? '0.0.0-unbuilt' : ANNEX_VERSION;

/**
 * The directory of this module: that of the build, or of the application's bundle. Undefined in a bundle
 * of CommonJS, for which a bundler may leave import.meta empty.
 */
export const HERE: string | undefined = findHere();

function findHere(): string | undefined {
  try {
    return dirname(fileURLToPath(import.meta.url));
  } catch {
    return undefined;
  }
}

/** The command line, in the directory of a build. */
export const CLI = 'cli/main.js';

/** The hooks of Node 20. */
export const OFF_THREAD = 'hooks/import-node20.js';

/**
 * A file of this version of annex: beside this module, beside the loader that is active, or in the annex
 * that is installed for the application. A bundler has copied this module elsewhere, or gives it the
 * address that it had when the bundle was made.
 *
 * @param file CLI or OFF_THREAD
 * @param root the core root
 * @param active directory of the active loader, as its own HERE says
 * @returns an absolute path; undefined when there is none
 * @example findOwnFile(CLI, '/app') // '/app/node_modules/annex/dist/cli/main.js'
 */
export function findOwnFile(file: string, root: string, active?: string): string | undefined {
  const isThere = (dir: string | undefined): dir is string =>
    dir !== undefined && existsSync(join(dir, file)) && isOwn(dir);
  const dir = [HERE, active].find(isThere) ?? [findInstalled(root)].find(isThere);
  return dir && join(dir, file);
}

/**
 * Why `findOwnFile` found none, and what helps: an incomplete copy of the package, as tools make that trace
 * imports, or no copy at all.
 */
export function describeMissing(file: string, root: string): { reason: string; hint: string } {
  const dir = [HERE, findInstalled(root)].find((one) => one !== undefined && isOwn(one));
  if (dir !== undefined) {
    return {
      reason: `${join(dir, file)} is missing: this copy of annex ${version} is not complete`,
      hint: 'ship all files of the package annex: a tool that copies only what it traces has to be told to',
    };
  }
  return {
    reason: `annex ${version} is part of a bundle here, and its own files are not: ${root} has no annex ${version} installed`,
    hint: 'keep annex external when the application is bundled, and ship it in node_modules',
  };
}

const MOST = 2 ** 20;

/** Whether a directory is that of a build of this version. */
function isOwn(dir: string): boolean {
  try {
    const manifest = readJson(join(dir, '..', 'package.json'), MOST, 'follow') as {
      name?: unknown;
      version?: unknown;
    };
    return manifest.name === 'annex' && manifest.version === version;
  } catch {
    return false;
  }
}

function findInstalled(root: string): string | undefined {
  try {
    const { resolve } = createRequire(join(root, 'package.json'));
    return join(dirname(resolve('annex/package.json')), 'dist');
  } catch {
    return undefined;
  }
}
