/** Finds the package.json of the application. Every start runs this: it imports nothing heavy. */
import { join, resolve, sep } from 'node:path';
import { parsePackage, readPackageText } from '../base/package-json.ts';
import { listAncestors, toRealPath } from '../base/paths.ts';
import { isInEntry, isWithin } from '../base/store-layout.ts';
import { codeOf } from '../base/thrown.ts';

/** The package.json of an application. */
export interface CoreManifest {
  dir: string;
  manifest: Record<string, unknown>;
}

/** A package.json that cannot be read or parsed, as one clause. */
export interface Unreadable {
  problem: string;
}

/** Where the application is searched for. */
export interface CoreSearch {
  /** ANNEX_CORE. */
  explicit: string | undefined;
  /** The entry script; undefined for --eval, the REPL and the CLI. */
  script: string | undefined;
  /** Undefined when it was deleted. */
  cwd: string | undefined;
  /**
   * A directory of annex itself, for programs outside of the application; undefined for the command
   * line, which must not change an application by accident.
   */
  self: string | undefined;
}

/** Judges an `annex` key that declares no features. */
type IsInvalid = (annex: unknown) => boolean;

/**
 * Finds the package.json of the application: the one in ANNEX_CORE, else the nearest one with an `annex`
 * key above the entry script, else above annex itself, else, for a tool in a node_modules that Node searches from the
 * working directory, above that. A package.json that declares nothing never wins, nor does one above a script in an
 * entry of a store.
 *
 * @param isInvalid whether an `annex` key is to be reported when no package.json above declares features
 */
export function findCoreRoot(
  { explicit, script, cwd = sep, self }: CoreSearch,
  isInvalid: IsInvalid,
): CoreManifest | Unreadable | undefined {
  if (explicit !== undefined) return readNamedManifest(resolve(cwd, explicit));
  // From the script itself, which is a directory for `node .`; no file has a package.json below it.
  const start = script === undefined ? cwd : toRealPath(script);
  // Above an entry, anyone who can write to the volume may have put a package.json.
  const isStored = [start, script ?? ''].some(isInEntry);
  const places = [
    isStored ? undefined : start,
    self && leaveNodeModules(self),
    !isStored && isTool(start, cwd) ? cwd : undefined,
  ];
  for (const place of places) {
    const found = place === undefined ? undefined : findAbove(place, isInvalid);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a script is in a node_modules of a directory above another one, such as that of a monorepo's root. */
function isTool(script: string, dir: string): boolean {
  const above = leaveNodeModules(script);
  return above !== script && isWithin(dir, above);
}

function findAbove(start: string, isInvalid: IsInvalid): CoreManifest | Unreadable | undefined {
  let invalid: CoreManifest | undefined;
  for (const dir of listAncestors(start)) {
    const text = tryRead(dir);
    if (text?.includes('"annex"') !== true) continue;
    const found = parseManifest(dir, text);
    if ('problem' in found) return found;
    const { annex } = found.manifest;
    if (hasDeclaration(annex)) return found;
    if (annex !== undefined && annex !== null && isInvalid(annex)) invalid ??= found;
  }
  return invalid;
}

function tryRead(dir: string): string | undefined {
  try {
    return readPackageText(dir);
  } catch {
    return undefined;
  }
}

function readNamedManifest(dir: string): CoreManifest | Unreadable {
  try {
    const text = readPackageText(dir);
    return text.includes('"annex"') ? parseManifest(dir, text) : { dir, manifest: {} };
  } catch (error) {
    return { problem: `${join(dir, 'package.json')} cannot be read: ${codeOf(error)}` };
  }
}

function parseManifest(dir: string, text: string): CoreManifest | Unreadable {
  try {
    return { dir, manifest: parsePackage(text) };
  } catch {
    return { problem: `${join(dir, 'package.json')} does not parse as JSON` };
  }
}

/** Whether an `annex` key declares features, valid or not. */
export function hasDeclaration(annex: unknown): boolean {
  if (typeof annex !== 'object' || annex === null) return false;
  const { features = {}, fromOptionalPeers } = annex as Record<string, unknown>;
  const isEmpty = typeof features === 'object' && Object.keys(features ?? {}).length === 0;
  return !isEmpty || fromOptionalPeers === true;
}

/** The directory of a path outside of every node_modules and .pnpm. */
function leaveNodeModules(path: string): string {
  const parts = path.split(sep);
  const index = parts.findIndex((part) => part === 'node_modules' || part === '.pnpm');
  return index === -1 ? path : parts.slice(0, index).join(sep) || sep;
}
