/** require, require.resolve and createRequire, on every version: one patched function. */
import Module from 'node:module';
import { dirname } from 'node:path';
import { apply } from '../primordials.ts';
import type { Driver } from './drive.ts';

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
 * @see https://github.com/nodejs/node/blob/v24.11.1/lib/internal/modules/cjs/loader.js Module._resolveFilename
 */
export function registerRequire(driver: Driver): void {
  const internals = Module as unknown as Internals;
  const original = internals._resolveFilename;
  internals._resolveFilename = function resolveFilename(request, parent, isMain, options) {
    const file = findFile(parent);
    if (typeof request !== 'string' || !driver.concerns(request, file)) {
      return apply(original, this, [request, parent, isMain, options]);
    }
    return driver.resolve(
      { specifier: request, kind: 'require', parent: file, hasPaths: options?.paths !== undefined },
      [...(options?.conditions ?? [])].join(),
      (filename: string) =>
        filename.startsWith('/') || filename.includes('\\') ? filename : undefined,
      (from) => {
        if (from === undefined) return apply(original, this, [request, parent, isMain, options]);
        const paths = internals._nodeModulePaths(dirname(from));
        const asker = { id: from, filename: from, paths };
        return apply(original, this, [request, asker, false, options]);
      },
    );
  };
}

/** The file that requires; in the REPL and --eval, a name in the working directory. */
function findFile(parent: Parent | null | undefined): string | undefined {
  if (typeof parent?.filename === 'string') return parent.filename;
  const nearest = parent?.paths?.[0];
  return nearest === undefined ? undefined : `${dirname(nearest)}/[eval]`;
}
