/** require, require.resolve and createRequire on every version of Node: one patched function. */
import Module from 'node:module';
import { dirname, isAbsolute, join, resolve as toAbsolute } from 'node:path';
import { apply } from '../base/primordials.ts';
import type { Driver } from './driver.ts';
import type { Verifier } from './verify-entry.ts';

/** The parent as Node passes it; any part can be missing. */
interface Parent {
  id?: string;
  filename?: string | null;
  paths?: string[];
}

interface Options {
  paths?: unknown;
  /** Set by other loaders. */
  conditions?: Iterable<string>;
}

type ResolveFilename = (
  this: unknown,
  request: string,
  parent: Parent | null | undefined,
  isMain?: boolean,
  options?: Options,
) => string;

/** Parts of Module that Node does not document, but keeps for other loaders. */
interface Internals {
  _resolveFilename: ResolveFilename;
  _nodeModulePaths: (from: string) => string[];
}

/**
 * Patches Module._resolveFilename.
 *
 * @returns restores the original function
 * @throws when Module is frozen
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/cjs/loader.js Module._resolveFilename
 */
export function registerRequire(driver: Driver, verifier: Verifier): () => void {
  const internals = Module as unknown as Internals;
  const original = internals._resolveFilename;
  const makeParent = (file: string): Parent => ({
    id: file,
    filename: file,
    paths: internals._nodeModulePaths(dirname(file)),
  });
  const resolve: ResolveFilename = function (specifier, parent, isMain, options) {
    const resolveFrom = (file: string | undefined, some: Options | undefined): string =>
      driver.resolve(
        { specifier, kind: 'require', parent: file, hasPaths: some?.paths !== undefined },
        {
          variant: [...(some?.conditions ?? [])].join(),
          fileOf: (answer: string) =>
            answer.startsWith('/') || answer.includes('\\') ? answer : undefined,
          ask: (from) => {
            if (from === undefined) return apply(original, this, [specifier, parent, isMain, some]);
            const { paths: _, ...rest } = some ?? {};
            return apply(original, this, [specifier, makeParent(from), false, rest]);
          },
        },
      );
    const isConcerned = (file: string | undefined): boolean =>
      driver.concerns(specifier, file, 'require');
    const starts = listStarts(options);
    if (starts === undefined) {
      const file = findFile(parent);
      if (isConcerned(file)) return resolveFrom(file, options);
    } else if (starts.some(isConcerned)) {
      return findFirst(starts, (start) =>
        resolveFrom(start, { ...options, paths: [dirname(start)] }),
      );
    }
    return apply(original, this, [specifier, parent, isMain, options]);
  };
  const resolveVerified: ResolveFilename = function (request, parent, isMain, options) {
    const given = findFile(parent);
    // Node loads imported CommonJS without a parent; the entry script has none either.
    const kind = parent == null && isMain !== true ? 'import' : 'require';
    const file = given === undefined ? undefined : verifier.verifyPath(given, kind);
    const soundParent = file === undefined || file === given ? parent : makeParent(file);
    const isText = typeof request === 'string';
    const specifier =
      isText && (isAbsolute(request) || options?.paths === undefined)
        ? verifier.verifySpecifier({ specifier: request, kind: 'require', parent: file }, kind)
        : request;
    const next = isText ? resolve : original;
    const answer = apply(next, this, [specifier, soundParent, isMain, options]);
    return verifier.verifyPath(answer, kind);
  };
  if (!Reflect.set(internals, '_resolveFilename', resolveVerified)) {
    throw new Error(
      'Module._resolveFilename is read-only: preload annex before the code that freezes Module',
    );
  }
  return () => {
    internals._resolveFilename = original;
  };
}

/**
 * An invented file in each of the `paths` of require.resolve: a search that starts in an entry belongs to
 * that entry.
 */
function listStarts(options: Options | undefined): string[] | undefined {
  const paths = options?.paths;
  if (paths === undefined) return undefined;
  const isList = Array.isArray(paths) && paths.every((path) => typeof path === 'string');
  return isList ? paths.map((path) => join(toAbsolute(path), '[paths]')) : undefined;
}

/** The first result, else the last error. */
function findFirst<T>(starts: string[], run: (start: string) => T): T {
  let last: unknown;
  for (const start of starts) {
    try {
      return run(start);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** The requiring file; for the REPL and --eval, an invented one in the working directory. */
function findFile(parent: Parent | null | undefined): string | undefined {
  if (typeof parent?.filename === 'string') return parent.filename;
  const nearest: unknown = parent?.paths?.[0];
  return typeof nearest !== 'string' ? undefined : `${dirname(nearest)}/[eval]`;
}
