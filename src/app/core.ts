/** The application's own tree: finding its root and looking into it, synchronously. */
import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { listDirectory, pathExists, readText } from '../base/files.ts';
import { isInEntry } from '../base/store-layout.ts';
import { codeOf, isTransient } from '../base/thrown.ts';
import { TOP_KEYS } from '../settings/declaration.ts';

/** Bytes of a package.json. */
const MOST = 8 * 2 ** 20;

/** A package.json that was read. */
export interface ReadManifest {
  dir: string;
  manifest: Record<string, unknown>;
}

/** How the root was found, or why it was not. */
export type FoundRoot = ReadManifest | { problem: string } | undefined;

/** From where the root is looked for. */
export interface Origin {
  /** ANNEX_CORE. */
  explicit: string | undefined;
  /** The entry script; undefined for --eval, the REPL and the CLI. */
  script: string | undefined;
  /** Undefined when it was deleted: nothing is looked for in it. */
  cwd: string | undefined;
  /**
   * A directory of annex itself, for programs that lie outside of the application; undefined for the
   * command line, which must not change an application that nobody named.
   */
  self: string | undefined;
}

/**
 * The core root: the one that is named, else the nearest package.json with an `annex` key above the
 * entry script, else above the place annex is installed in. A package.json that declares nothing
 * never wins, nor does one above a script that lies in an entry of a store.
 */
export function findCoreRoot({ explicit, script, cwd = sep, self }: Origin): FoundRoot {
  if (explicit !== undefined) return readDeclaringManifest(resolve(cwd, explicit), true);
  // From the script itself: `node .` names a directory, and no file has a package.json below it.
  const start = script === undefined ? cwd : toRealPath(script);
  // Above an entry of a store whoever may write the volume may have put a package.json.
  const above = [start, script ?? ''].some(isInEntry) ? undefined : findAbove(start);
  return above === undefined && self !== undefined ? findAbove(leaveNodeModules(self)) : above;
}

function findAbove(start: string): FoundRoot {
  let wrong: FoundRoot;
  for (const dir of listAncestors(start)) {
    const found = readDeclaringManifest(dir, false);
    if (found === undefined) continue;
    if ('problem' in found || doesDeclare(found.manifest.annex)) return found;
    wrong ??= found;
  }
  return wrong;
}

function readDeclaringManifest(dir: string, isNamed: boolean): FoundRoot {
  const path = join(dir, 'package.json');
  let text: string;
  try {
    text = readText(path, MOST, 'follow');
  } catch (error) {
    return isNamed ? { problem: `${path} cannot be read: ${codeOf(error)}` } : undefined;
  }
  if (!text.includes('"annex"')) return isNamed ? { dir, manifest: {} } : undefined;
  try {
    const manifest = parsePackage(text);
    const { annex } = manifest;
    return isNamed || doesDeclare(annex) || isWrong(annex) ? { dir, manifest } : undefined;
  } catch {
    return { problem: `${path} does not parse as JSON` };
  }
}

/** Whether an `annex` key is wrong as a whole. It is reported when no package.json above declares features. */
function isWrong(annex: unknown): boolean {
  if (annex === undefined || annex === null) return false;
  if (typeof annex !== 'object' || Array.isArray(annex)) return true;
  const { features } = annex as { features?: unknown };
  return Array.isArray(features) || Object.keys(annex).some((key) => !TOP_KEYS.has(key));
}

/** Whether an `annex` key declares anything, rightly or wrongly. */
function doesDeclare(annex: unknown): boolean {
  if (typeof annex !== 'object' || annex === null) return false;
  const { features = {}, fromOptionalPeers } = annex as Record<string, unknown>;
  const isEmpty = typeof features === 'object' && Object.keys(features ?? {}).length === 0;
  return !isEmpty || fromOptionalPeers === true;
}

/** The directory outside every node_modules and .pnpm that a path lies in. */
function leaveNodeModules(path: string): string {
  const parts = path.split(sep);
  const index = parts.findIndex((part) => part === 'node_modules' || part === '.pnpm');
  return index === -1 ? path : parts.slice(0, index).join(sep) || sep;
}

/** The working directory; undefined when it was deleted. */
export function readCwd(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** A directory and all above it, nearest first. */
export function listAncestors(start: string): string[] {
  const dirs = [start];
  for (let dir = start, up = dirname(dir); up !== dir; dir = up, up = dirname(dir)) dirs.push(up);
  return dirs;
}

/** The real path; of the nearest part that exists, when the whole does not. */
export function toRealPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const up = dirname(path);
    return up === path ? path : join(toRealPath(up), basename(path));
  }
}

/** Names of a core's workspaces, from literal paths and `dir/*` patterns. */
export function listWorkspaces({ dir, manifest }: ReadManifest): string[] {
  const field = manifest.workspaces;
  const patterns = Array.isArray(field)
    ? field
    : ((field as { packages?: unknown } | undefined)?.packages ?? []);
  if (!Array.isArray(patterns)) return [];
  return patterns
    .filter((pattern): pattern is string => typeof pattern === 'string')
    .flatMap((pattern) =>
      pattern.endsWith('/*') ? listChildren(join(dir, pattern.slice(0, -2))) : [join(dir, pattern)],
    )
    .flatMap((workspace) => readName(workspace) ?? []);
}

const listChildren = (dir: string): string[] =>
  listDirectory(dir, () => true).map(({ name }) => join(dir, name));

function readName(dir: string): string | undefined {
  const name = readPackage(dir)?.name;
  return typeof name === 'string' ? name : undefined;
}

/**
 * A parsed package.json of a directory; undefined when it is not there or not readable.
 * @throws errors of the file system that say nothing about the file
 */
export function readPackage(dir: string): Record<string, unknown> | undefined {
  try {
    return parsePackage(readText(join(dir, 'package.json'), MOST, 'follow'));
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}

/** Throws for what Node cannot read either; a byte order mark is fine. */
function parsePackage(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  throw new SyntaxError('it is no object');
}

const FILE_FORMS = ['', '.js', '.json', '.node'];

/**
 * What owns a package name, as seen from a directory; undefined when nothing does. Decided by
 * looking, not by error codes: `require` reports absent and broken packages alike. A dangling link
 * counts, a file that only `require` would take counts, the package's own name counts, and so does
 * whatever cannot be looked at, in the global folders apart.
 *
 * @param globals directories that `require` searches last (NODE_PATH and Node's own)
 */
export function findOwner(
  name: string,
  from: string,
  globals: readonly string[],
): string | undefined {
  let isInScope = true;
  for (const dir of listAncestors(from)) {
    const inModules = join(dir, 'node_modules', name);
    const owner = FILE_FORMS.map((form) => inModules + form).find(pathExists);
    if (owner !== undefined) return owner;
    if (!isInScope) continue;
    const scope = join(dir, 'package.json');
    if (!pathExists(scope)) continue;
    const manifest = readPackage(dir);
    if (manifest === undefined || manifest.name === name) return scope;
    isInScope = typeof manifest.name !== 'string';
  }
  return findGlobalOwners(name, globals)[0];
}

/** What owns a package name in directories that `require` searches last, in their order. */
export const findGlobalOwners = (name: string, globals: readonly string[]): string[] =>
  globals.flatMap((dir) => FILE_FORMS.map((form) => join(dir, name) + form)).filter(isSeen);

/** Unlike the core, the home of another user is no concern of ours: HOME often outlives a change of user. */
function isSeen(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** The copy of a package that the core root sees, and its version if that can be read. */
export function findCorePackage(
  name: string,
  root: string,
): { dir: string; version: string | undefined } | undefined {
  for (const up of listAncestors(root)) {
    const dir = join(up, 'node_modules', name);
    if (!pathExists(dir)) continue;
    const version = readPackage(dir)?.version;
    return { dir, version: typeof version === 'string' ? version : undefined };
  }
  return undefined;
}
