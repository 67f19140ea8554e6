/** Which file a relative or absolute path, or a file URL, means before any link is followed. */
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL, URL } from 'node:url';
import { exec, includes, startsWith } from '../base/primordials.ts';
import type { Request } from './request.ts';

/**
 * Whether a specifier can mean a file in a store when the file that asks lies in none: then it names the
 * version root, or spells it with an escape or a sign that URLs drop or turn into a slash. It runs with
 * every request of the program.
 */
export const mayMeanStored = (specifier: string): boolean => exec(STORED, specifier) !== null;

const STORED = /v1|[%\\\s]/;
const RELATIVE = /^\.\.?(?:\/|$)/;

/**
 * Returns the path that a specifier means, or undefined for a bare specifier and for a URL other than a file URL.
 *
 * @param request whose `parent` is a path or a file URL
 * @see https://nodejs.org/docs/latest-v24.x/api/esm.html#resolution-algorithm-specification
 */
export function readPlace({
  specifier,
  kind,
  parent = sep,
}: Pick<Request, 'specifier' | 'kind' | 'parent'>): string | undefined {
  const isPath = isAbsolute(specifier) || exec(RELATIVE, specifier) !== null;
  if (kind === 'require') return isPath ? resolve(dirname(parent), specifier) : undefined;
  if (!isPath && !includes(specifier, ':')) return undefined;
  try {
    const base = startsWith(parent, sep) ? pathToFileURL(parent) : parent;
    const url = isPath ? new URL(specifier, base) : new URL(specifier);
    if (url.protocol !== 'file:') return undefined;
    url.search = '';
    url.hash = '';
    // A URL keeps slashes that a path has once.
    return resolve(fileURLToPath(url));
  } catch {
    return undefined;
  }
}

/** The path of a file URL without query and hash; undefined for any other URL. */
export function toFile(url: string | undefined): string | undefined {
  if (url === undefined || !startsWith(url, 'file:')) return undefined;
  try {
    return fileURLToPath(exec(/^[^?#]*/, url)?.[0] ?? url);
  } catch {
    return undefined;
  }
}
