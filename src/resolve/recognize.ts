/** Recognizes the requests that annex takes part in. */
import Module from 'node:module';
import { includes, startsWith } from '../base/primordials.ts';
import { parseBareSpecifier } from '../base/specifier.ts';
import { VERSION } from '../base/store-layout.ts';
import { findTargetPath, mayMeanStored } from './destination.ts';
import type { Request } from './request.ts';

// Kept as it is now: a program may replace it.
const { isBuiltin } = Module;

/** Runs for every request of the program, which may have replaced any built-in function since annex was loaded. */
export interface Recognizer {
  /** Whether a path or file URL, as written, is below the version root of a store. */
  isInStore: (pathOrURL: string) => boolean;
  /** The path in a store that the specifier of a file outside every store means; undefined for any other request. */
  findStoredPath: (request: Pick<Request, 'specifier' | 'kind' | 'parent'>) => string | undefined;
  /**
   * Whether annex takes part in a request; Node answers every other one alone.
   *
   * @param parent path or URL of the parent file
   */
  concerns: (specifier: string, parent: string | undefined, kind: Request['kind']) => boolean;
}

/**
 * Creates the recognizer of a thread.
 *
 * @param isDeclared whether a feature lists a package of that name
 * @param listPrefixes returns how paths and URLs in stores begin; called once, for the first path that may be in one
 */
export function createRecognizer(
  isDeclared: (name: string) => boolean,
  listPrefixes: () => readonly string[],
): Recognizer {
  let prefixes: readonly string[] | undefined;
  const isInStore = (pathOrURL: string): boolean => {
    if (!includes(pathOrURL, VERSION)) return false;
    prefixes ??= listPrefixes();
    for (let at = 0; at < prefixes.length; at++) {
      if (startsWith(pathOrURL, prefixes[at] as string)) return true;
    }
    return false;
  };
  const findStoredPath: Recognizer['findStoredPath'] = (request) => {
    const path = mayMeanStored(request.specifier) ? findTargetPath(request) : undefined;
    return path !== undefined && isInStore(path) ? path : undefined;
  };
  return {
    isInStore,
    findStoredPath,
    concerns: (specifier, parent, kind) => {
      if (parent !== undefined && isInStore(parent)) return !isBuiltin(specifier);
      const bare = parseBareSpecifier(specifier);
      return bare === undefined
        ? findStoredPath({ specifier, parent, kind }) !== undefined
        : isDeclared(bare.name);
    },
  };
}
