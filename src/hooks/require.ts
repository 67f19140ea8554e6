/** require, require.resolve and createRequire on every version of Node: what replaces Module._resolveFilename. */
import Module from 'node:module';
import { dirname, isAbsolute } from 'node:path';
import { apply } from '../base/primordials.ts';
import { unwrap } from '../resolve/request.ts';
import type { Driver } from './driver.ts';
import {
  findFile,
  kindOf,
  listStarts,
  type Options,
  type Parent,
  type ResolveFilename,
} from './require-request.ts';
import { createAsk, type Short, type Shortcut } from './shortcut.ts';
import type { Verifier } from './verify-entry.ts';

/** Node does not document this function, but keeps it for other loaders. */
const internals = Module as unknown as { _nodeModulePaths: (from: string) => string[] };

/**
 * Creates the function that resolves requests of require that concern annex.
 *
 * @param original the function that Node or another loader had there
 */
export function createResolveFilename(
  driver: Driver,
  verifier: Verifier,
  shortcut: Shortcut,
  original: ResolveFilename,
): ResolveFilename {
  const makeParent = (file: string): Parent => ({
    id: file,
    filename: file,
    paths: internals._nodeModulePaths(dirname(file)),
  });
  const resolve = function (
    this: unknown,
    next: ResolveFilename,
    ...[specifier, parent, isMain, options]: Parameters<ResolveFilename>
  ): string {
    const resolveFrom = (file: string | undefined, some: Options | undefined): string =>
      driver.resolve(
        { specifier, kind: 'require', parent: file, hasPaths: some?.paths !== undefined },
        {
          variant: [...(some?.conditions ?? [])].join(),
          fileOf: (answer: string) =>
            answer.startsWith('/') || answer.includes('\\') ? answer : undefined,
          ask: ({ from, specifier: asked = specifier }) => {
            if (from === undefined) return apply(next, this, [asked, parent, isMain, some]);
            const { paths: _, ...rest } = some ?? {};
            return apply(original, this, [asked, makeParent(from), false, rest]);
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
    return apply(next, this, [specifier, parent, isMain, options]);
  };
  return function (request, parent, isMain, options) {
    const given = findFile(parent);
    const kind = kindOf(parent, isMain);
    const isText = typeof request === 'string';
    let short: Short<string> | undefined;
    if (isText && options?.paths === undefined && kind === 'require') {
      const ask = () => apply(original, this, [request, parent, isMain, options]);
      short = shortcut(
        { specifier: request, kind, parent: given },
        { ask, fileOf: (file) => file },
      );
      if (short?.isSound) return verifier.verifyPath(unwrap(short.outcome), kind);
    }
    const file = given === undefined ? undefined : verifier.verifyPath(given, kind);
    const soundParent = file === undefined || file === given ? parent : makeParent(file);
    const specifier =
      isText && (isAbsolute(request) || options?.paths === undefined)
        ? verifier.verifySpecifier({ specifier: request, kind: 'require', parent: file }, kind)
        : request;
    const isSame = specifier === request && soundParent === parent;
    const ask = createAsk(isSame ? short : undefined, () =>
      apply(original, this, [request, parent, isMain, options]),
    );
    const next: ResolveFilename = (...asked) =>
      isSame && asked[0] === request && asked[1] === parent && asked[3] === options
        ? ask()
        : apply(original, this, asked);
    const answer = isText
      ? apply(resolve, this, [next, specifier, soundParent, isMain, options])
      : apply(original, this, [request, soundParent, isMain, options]);
    return verifier.verifyPath(answer, kind, true);
  };
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
