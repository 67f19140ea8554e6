/** require, require.resolve and createRequire, on every version: one patched function. */
import Module from 'node:module';
import { dirname, isAbsolute, join, resolve as toAbsolute } from 'node:path';
import { apply } from '../base/primordials.ts';
import type { Driver } from './driver.ts';
import type { Guard } from './guard.ts';

/** What Node hands over as the parent; all of it can be missing. */
interface Parent {
  id?: string;
  filename?: string | null;
  paths?: string[];
}

interface Options {
  paths?: unknown;
  /** What another loader made of the conditions. */
  conditions?: Iterable<string>;
}

type ResolveFilename = (
  this: unknown,
  request: string,
  parent: Parent | null | undefined,
  isMain?: boolean,
  options?: Options,
) => string;

/** The parts of Module that Node does not document but keeps (other loaders stand on them too). */
interface Internals {
  _resolveFilename: ResolveFilename;
  _nodeModulePaths: (from: string) => string[];
}

/**
 * Patches Module._resolveFilename.
 *
 * @returns takes the patch back
 * @throws when Module is frozen
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/cjs/loader.js Module._resolveFilename
 */
export function registerRequire(
  driver: Driver,
  guard: Pick<Guard, 'place' | 'placeSpecifier'>,
): () => void {
  const internals = Module as unknown as Internals;
  const original = internals._resolveFilename;
  const standIn = (from: string): Parent => ({
    id: from,
    filename: from,
    paths: internals._nodeModulePaths(dirname(from)),
  });
  const resolve: ResolveFilename = function (request, parent, isMain, options) {
    const file = findFile(parent);
    const starts = listStarts(options);
    const isConcerned =
      typeof request === 'string' &&
      (starts === undefined
        ? driver.concerns(request, file, 'require')
        : starts.some((start) => driver.concerns(request, start, 'require')));
    if (!isConcerned) return apply(original, this, [request, parent, isMain, options]);
    const resolveFrom = (start: string | undefined, some: Options | undefined): string =>
      driver.resolve(
        {
          specifier: request,
          kind: 'require',
          parent: start,
          hasPaths: some?.paths !== undefined,
        },
        [...(some?.conditions ?? [])].join(),
        (filename: string) =>
          filename.startsWith('/') || filename.includes('\\') ? filename : undefined,
        (from) => {
          if (from === undefined) return apply(original, this, [request, parent, isMain, some]);
          const { paths: _, ...rest } = some ?? {};
          return apply(original, this, [request, standIn(from), false, rest]);
        },
      );
    return starts === undefined
      ? resolveFrom(file, options)
      : findFirst(starts, (start) => resolveFrom(start, { ...options, paths: [dirname(start)] }));
  };
  const resolveFilename: ResolveFilename = function (request, parent, isMain, options) {
    const file = findFile(parent);
    // Node loads CommonJS that is imported without a parent, and so the script of a process.
    const kind = parent == null && isMain !== true ? 'import' : 'require';
    const from = file === undefined ? file : guard.place(file, kind);
    const asker = from === undefined || from === file ? parent : standIn(from);
    const asked =
      typeof request === 'string' && (isAbsolute(request) || options?.paths === undefined)
        ? guard.placeSpecifier({ specifier: request, kind: 'require', parent: from }, kind)
        : request;
    return guard.place(apply(resolve, this, [asked, asker, isMain, options]), kind);
  };
  if (!Reflect.set(internals, '_resolveFilename', resolveFilename)) {
    throw new Error(
      'Module._resolveFilename is read-only; preload annex before whatever freezes Module',
    );
  }
  return () => {
    internals._resolveFilename = original;
  };
}

/**
 * What stands for the file that asks in each of the `paths` that require.resolve was given: a look-up
 * that starts in an entry is one of that entry.
 */
function listStarts(options: Options | undefined): string[] | undefined {
  const paths = options?.paths;
  if (paths === undefined) return undefined;
  const isList = Array.isArray(paths) && paths.every((path) => typeof path === 'string');
  return isList ? paths.map((path) => join(toAbsolute(path), '[paths]')) : undefined;
}

/** The first result; the error of the last attempt when there is none. */
function findFirst<T>(starts: string[], attempt: (start: string) => T): T {
  let last: unknown;
  for (const start of starts) {
    try {
      return attempt(start);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** The file that requires; in the REPL and --eval, a name in the working directory. */
function findFile(parent: Parent | null | undefined): string | undefined {
  if (typeof parent?.filename === 'string') return parent.filename;
  const nearest: unknown = parent?.paths?.[0];
  return typeof nearest !== 'string' ? undefined : `${dirname(nearest)}/[eval]`;
}
