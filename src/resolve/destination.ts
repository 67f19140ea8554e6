/** Finds the path that a specifier means, before any link is followed. */
import { dirname, isAbsolute, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL, URL } from 'node:url';
import { exec, includes, slice, startsWith } from '../base/primordials.ts';
import type { Request } from './request.ts';

/**
 * Whether the specifier of a file outside every store can mean a file in a store: it contains the name of the
 * version root, or an escape or a character that URLs drop or turn into a slash. Runs for every request of the
 * program.
 */
export const mayMeanStored = (specifier: string): boolean => exec(STORED, specifier) !== null;

const STORED = /v1|[%\\\s]/;
/** A file URL without escapes, empty steps and steps that start with a dot. */
const PLAIN_URL = /^file:\/\/(?:\/[\w@+,~-][\w@+,~.-]*)+$/;
const RELATIVE = /^\.\.?(?:\/|$)/;

/**
 * The path that a specifier means; undefined for a bare specifier and for any URL but a file URL.
 *
 * @param request `parent` is a path or a file URL
 * @see https://nodejs.org/docs/latest-v24.x/api/esm.html#resolution-algorithm-specification
 */
export function findTargetPath({
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
    // A URL can have repeated slashes; a path has one.
    return resolve(fileURLToPath(url));
  } catch {
    return undefined;
  }
}

/** The path of a file URL without query and hash; undefined for any other URL. */
export function toFile(url: string | undefined): string | undefined {
  if (url === undefined || !startsWith(url, 'file:')) return undefined;
  // Node's function parses the URL and resolves the path. This runs at least twice for each module.
  if (exec(PLAIN_URL, url) !== null) return slice(url, 'file://'.length);
  try {
    return fileURLToPath(exec(/^[^?#]*/, url)?.[0] ?? url);
  } catch {
    return undefined;
  }
}
