/** Whether the answer to a request is the one that an entry gives as it was installed. */
import Module from 'node:module';
import { posix } from 'node:path';
import { parseBareSpecifier } from '../base/specifier.ts';
import { parentOf, type Touched } from '../store/touched.ts';
import type { Request } from './request.ts';
import { listTargets } from './targets.ts';

/** A request, and Node's answer. Paths are below the entry, with slashes. */
export interface Answered {
  specifier: string;
  kind: Request['kind'];
  /** The parent file; undefined when it is not in the entry. */
  parent: string | undefined;
  /** The path that the specifier means, if it is one. */
  target: string | undefined;
  /** The file of the answer; undefined without one in the entry. */
  file: string | undefined;
  /** The code of Node's error. */
  code: string | undefined;
}

/**
 * Judges an answer by the listing, by each package.json that takes part, and by what stands nearer than the package that
 * was installed. The file of the answer itself counts as compared.
 *
 * @returns false also when that leaves it open
 */
export function isInstalledAnswer(answered: Answered, entry: Touched): boolean {
  const { specifier, kind, parent, target, file } = answered;
  if (target !== undefined) {
    return findByPath(entry, target, kind, isDirectory(specifier)) === file;
  }
  if (parent === undefined) return false;
  const from = parentOf(parent);
  if (entry.findScopeDamage(from) !== undefined) return false;
  if (specifier.startsWith('#')) return isFromImports(answered, from, entry);
  const bare = parseBareSpecifier(specifier);
  return bare === undefined ? file === undefined : isFromPackage(answered, bare, from, entry);
}

/** Whether `require` takes a path for that of a directory. */
const isDirectory = (specifier: string): boolean => /(?:^|\/)\.{0,2}$/.test(specifier);

type Bare = NonNullable<ReturnType<typeof parseBareSpecifier>>;

function isFromPackage(answered: Answered, bare: Bare, from: string, entry: Touched): boolean {
  const { file, kind, code } = answered;
  const { name, subpath } = bare;
  const found = findHome(name, from, kind, entry);
  if (found === OPEN) return false;
  if (found === undefined) return file === undefined;
  if (entry.findManifestDamage(found) !== undefined) return false;
  const { exports = null } = entry.readManifest(found) ?? {};
  if (exports !== null) {
    if (file === undefined) return code === NOT_EXPORTED && entry.leadsTo(found, found);
    return isTarget(file, toPaths(found, listTargets(exports, subpath)), entry);
  }
  if (subpath === '.') {
    return findInDirectory(entry, found, kind === 'import' ? LEGACY : listExtensions()) === file;
  }
  return findByPath(entry, posix.join(found, subpath), kind, isDirectory(subpath)) === file;
}

const NOT_EXPORTED = 'ERR_PACKAGE_PATH_NOT_EXPORTED';
const NOT_DEFINED = 'ERR_PACKAGE_IMPORT_NOT_DEFINED';

/** In place of a path: something that was not installed takes part in the answer. */
const OPEN = '?';

/** The package that answers a bare request. */
function findHome(
  name: string,
  from: string,
  kind: Request['kind'],
  entry: Touched,
): string | undefined {
  const scope = entry.findScope(from);
  if (scope !== undefined) {
    const own = entry.readManifest(scope);
    if (own?.name === name && own.exports != null) return scope;
  }
  for (let dir = from; ; dir = parentOf(dir)) {
    const modules = dir === '' ? 'node_modules' : `${dir}/node_modules`;
    const isSkipped = kind === 'require' && /(?:^|\/)node_modules$/.test(dir);
    if (!isSkipped) {
      if (entry.contents.hasDirectory(`${modules}/${name}`)) return `${modules}/${name}`;
      if (!entry.isAbsent(modules, name)) return OPEN;
    }
    if (dir === '') return undefined;
  }
}

function isFromImports(answered: Answered, from: string, entry: Touched): boolean {
  const { specifier, file, code } = answered;
  const scope = entry.findScope(from);
  if (scope === undefined) return file === undefined;
  const targets = listTargets(entry.readManifest(scope)?.imports, specifier);
  const paths = toPaths(scope, targets);
  // Whether a file elsewhere may answer is not a question of the entry.
  if (file === undefined) return code === undefined || code === NOT_DEFINED;
  if (paths.includes(file)) return isTarget(file, paths, entry);
  if (paths.some((path) => entry.leadsTo(path, file))) return false;
  return targets.some((target) => {
    const bare = parseBareSpecifier(target);
    return bare !== undefined && isFromPackage(answered, bare, scope, entry);
  });
}

/** Whether a file is one of several targets, and no link of another one leads to it. */
const isTarget = (file: string, paths: string[], entry: Touched): boolean =>
  paths.includes(file) && !paths.some((path) => path !== file && entry.leadsTo(path, file));

const toPaths = (directory: string, targets: string[]): string[] =>
  targets.filter((each) => each.startsWith('./')).map((each) => posix.join(directory, each));

/** Extensions that Node tries for the main file of a package, also for `import`. */
const LEGACY = ['.js', '.json', '.node'];

/** Extensions that `require` tries, including those of other loaders. */
const listExtensions = (): string[] =>
  Object.keys((Module as unknown as { _extensions: object })._extensions);

/** The first installed file that Node finds for a path. */
function findByPath(
  entry: Touched,
  path: string,
  kind: Request['kind'],
  hasSlash: boolean,
): string | undefined {
  if (kind === 'import') return findFirst(entry, path, ['']);
  const extensions = listExtensions();
  const file = hasSlash ? undefined : findFirst(entry, path, ['', ...extensions]);
  return file ?? findInDirectory(entry, path, extensions);
}

/** @see https://nodejs.org/docs/latest-v24.x/api/modules.html#all-together LOAD_AS_DIRECTORY */
function findInDirectory(
  entry: Touched,
  directory: string,
  extensions: string[],
): string | undefined {
  if (!entry.contents.hasDirectory(directory)) return undefined;
  if (entry.findManifestDamage(directory) !== undefined) return OPEN;
  const main = entry.readManifest(directory)?.main;
  const path = typeof main === 'string' && main !== '' ? posix.join(directory, main) : undefined;
  return (
    (path && findFirst(entry, path, ['', ...extensions])) ??
    (path && findFirst(entry, `${path}/index`, extensions)) ??
    findFirst(entry, posix.join(directory, 'index'), extensions)
  );
}

const findFirst = ({ contents }: Touched, path: string, endings: string[]): string | undefined =>
  endings.map((ending) => path + ending).find((each) => contents.find(each) !== undefined);
