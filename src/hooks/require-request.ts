/** Reads the arguments that Node passes to Module._resolveFilename. */
import { dirname, resolve } from 'node:path';

const { isArray } = Array;

/** The parent as Node passes it; any part can be missing. */
export interface Parent {
  id?: string;
  filename?: string | null;
  paths?: string[];
}

/** Options of require.resolve. */
export interface Options {
  paths?: unknown;
  /** Set by other loaders. */
  conditions?: Iterable<string>;
}

/** @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/cjs/loader.js Module._resolveFilename */
export type ResolveFilename = (
  this: unknown,
  request: string,
  parent: Parent | null | undefined,
  isMain?: boolean,
  options?: Options,
) => string;

/** The requiring file; for the REPL and --eval, an invented one in the working directory. */
export function findFile(parent: Parent | null | undefined): string | undefined {
  if (typeof parent?.filename === 'string') return parent.filename;
  const nearest: unknown = parent?.paths?.[0];
  return typeof nearest !== 'string' ? undefined : `${dirname(nearest)}/[eval]`;
}

/** The kind of the request: Node loads imported CommonJS without a parent; the entry script has none either. */
export const kindOf = (
  parent: Parent | null | undefined,
  isMain: boolean | undefined,
): 'import' | 'require' => (parent == null && isMain !== true ? 'import' : 'require');

/**
 * An invented file in each of the `paths` of require.resolve: a search that starts in an entry belongs to
 * that entry.
 */
export function listStarts(options: Options | undefined): string[] | undefined {
  const paths = options?.paths;
  if (!isArray(paths)) return undefined;
  const starts: string[] = [];
  for (let at = 0; at < paths.length; at++) {
    const path: unknown = paths[at];
    if (typeof path !== 'string') return undefined;
    starts[at] = resolve(path, '[paths]');
  }
  return starts;
}
