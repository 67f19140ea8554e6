/** Finds annex's own files, also for code of annex in the application's bundle. */
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
 * The directory of this module: of the build, or of the application's bundle. Undefined in a CommonJS
 * bundle, where a bundler may leave import.meta empty.
 */
export const HERE: string | undefined = /* @__PURE__ */ findHere();

/** Returns the same; at the start of a process nothing else needs import.meta. */
export function findHere(): string | undefined {
  try {
    return dirname(fileURLToPath(import.meta.url));
  } catch {
    return undefined;
  }
}

/** The command line, relative to the build. */
export const CLI = 'cli/main.js';

/** The hooks of Node 20. */
export const OFF_THREAD = 'hooks/import-node20.js';

/**
 * Finds a file of this version of annex: beside this module, beside the active loader, or in the installed
 * package. A bundler may have copied this module elsewhere, or replaced its URL with the one at build time.
 *
 * @param file CLI or OFF_THREAD
 * @param root the core root
 * @param active directory of the active loader, as its own HERE says
 * @returns an absolute path; undefined when there is none
 * @example findOwnFile(CLI, '/app') // '/app/node_modules/annex/dist/cli/main.js'
 */
export function findOwnFile(file: string, root: string, active?: string): string | undefined {
  const hasFile = (dir: string | undefined): dir is string =>
    dir !== undefined && existsSync(join(dir, file)) && isThisVersion(dir);
  const dir = [HERE, active].find(hasFile) ?? [findInstalled(root)].find(hasFile);
  return dir && join(dir, file);
}

/**
 * Explains why `findOwnFile` found none: an incomplete copy of the package, as made by tools that trace
 * imports, or no copy.
 */
export function describeMissing(file: string, root: string): { reason: string; hint: string } {
  const dir = [HERE, findInstalled(root)].find((one) => one !== undefined && isThisVersion(one));
  if (dir !== undefined) {
    return {
      reason: `${join(dir, file)} is missing: this copy of annex ${version} is incomplete`,
      hint: 'ship all files of the package annex: configure a tool that traces imports to copy them',
    };
  }
  return {
    reason: `annex ${version} is bundled without its own files, and ${root} has no annex ${version} installed`,
    hint: 'keep annex external when the application is bundled, and ship it in node_modules',
  };
}

/** Bytes of a package.json. */
const MAX_MANIFEST = 2 ** 20;

/** Whether a directory is a build of this version. */
function isThisVersion(dir: string): boolean {
  try {
    const manifest = readJson(join(dir, '..', 'package.json'), MAX_MANIFEST, 'follow') as {
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
