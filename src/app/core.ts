/** The application's directory tree: finds its root, its packages and the owners of package names, synchronously. */
import { lstatSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { AnnexError } from '../base/error.ts';
import { listDirectory, pathExists, readText } from '../base/files.ts';
import { isInEntry } from '../base/store-layout.ts';
import { codeOf, isTransient } from '../base/thrown.ts';
import { refuseSetting } from '../settings/parse.ts';
import { COLUMNS } from '../settings/table.ts';

/** Bytes of a package.json. */
const MAX_SIZE = 8 * 2 ** 20;

/** The package.json of an application. */
export interface CoreManifest {
  dir: string;
  manifest: Record<string, unknown>;
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

/**
 * Finds the package.json of the application: the one in ANNEX_CORE, else the nearest one with an `annex`
 * key above the entry script, else above annex itself. A package.json that declares nothing never
 * wins, nor does one above a script in an entry of a store.
 *
 * @throws AnnexError for a package.json that cannot be read or parsed
 */
export function findCoreRoot({
  explicit,
  script,
  cwd = sep,
  self,
}: CoreSearch): CoreManifest | undefined {
  if (explicit !== undefined) return readDeclaringManifest(resolve(cwd, explicit), true);
  // From the script itself, which is a directory for `node .`; no file has a package.json below it.
  const start = script === undefined ? cwd : toRealPath(script);
  // Above an entry, anyone who can write to the volume may have put a package.json.
  const above = [start, script ?? ''].some(isInEntry) ? undefined : findAbove(start);
  return above === undefined && self !== undefined ? findAbove(leaveNodeModules(self)) : above;
}

function findAbove(start: string): CoreManifest | undefined {
  let invalid: CoreManifest | undefined;
  for (const dir of listAncestors(start)) {
    const found = readDeclaringManifest(dir, false);
    if (found === undefined) continue;
    if (hasDeclaration(found.manifest.annex)) return found;
    invalid ??= found;
  }
  return invalid;
}

function readDeclaringManifest(dir: string, isNamed: boolean): CoreManifest | undefined {
  const path = join(dir, 'package.json');
  let text: string;
  try {
    text = readText(path, MAX_SIZE, 'follow');
  } catch (error) {
    if (isNamed) throw refuseManifest(`${path} cannot be read: ${codeOf(error)}`);
    return undefined;
  }
  if (!text.includes('"annex"')) return isNamed ? { dir, manifest: {} } : undefined;
  try {
    const manifest = parsePackage(text);
    const { annex } = manifest;
    return isNamed || hasDeclaration(annex) || isInvalid(annex) ? { dir, manifest } : undefined;
  } catch {
    throw refuseManifest(`${path} does not parse as JSON`);
  }
}

const refuseManifest = (reason: string): AnnexError =>
  new AnnexError(refuseSetting(reason, 'correct that file'));

/** Whether an `annex` key is invalid as a whole. It is reported when no package.json above declares features. */
function isInvalid(annex: unknown): boolean {
  if (annex === undefined || annex === null) return false;
  if (typeof annex !== 'object' || Array.isArray(annex)) return true;
  const { features } = annex as { features?: unknown };
  return (
    Array.isArray(features) || Object.keys(annex).some((key) => !COLUMNS['package.json'].has(key))
  );
}

/** Whether an `annex` key declares features, valid or not. */
function hasDeclaration(annex: unknown): boolean {
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

/** The real path. Parts that do not exist are kept. */
export function toRealPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const up = dirname(path);
    return up === path ? path : join(toRealPath(up), basename(path));
  }
}

/** Names of a core's workspaces, from literal paths and `dir/*` patterns. */
export function listWorkspaces({ dir, manifest }: CoreManifest): string[] {
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
 * Reads the package.json of a directory; undefined when it is missing or unreadable.
 *
 * @throws errors of the file system that say nothing about the file
 */
export function readPackage(dir: string): Record<string, unknown> | undefined {
  try {
    return parsePackage(readText(join(dir, 'package.json'), MAX_SIZE, 'follow'));
  } catch (error) {
    if (isTransient(error)) throw error;
    return undefined;
  }
}

/** Parses as Node does: a byte order mark is allowed. */
function parsePackage(text: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
  if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  throw new SyntaxError('not an object');
}

const FILE_FORMS = ['', '.js', '.json', '.node'];

/**
 * Finds the owner of a package name, as seen from a directory: a path, or undefined. The file system
 * decides, not the error code of Node: `require` reports absent and broken packages alike. Owners are
 * also a dangling link, a file that only `require` resolves, a package.json of that name above, and,
 * except in global folders, a path that cannot be read.
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

/** The owners of a package name in the directories that `require` searches last, in their order. */
export const findGlobalOwners = (name: string, globals: readonly string[]): string[] =>
  globals.flatMap((dir) => FILE_FORMS.map((form) => join(dir, name) + form)).filter(isVisible);

/** HOME often outlives a change of user: what cannot be read there owns nothing. */
function isVisible(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Finds the copy of a package that the core root sees, and its version if that can be read. */
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
