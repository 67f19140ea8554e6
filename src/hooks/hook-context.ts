/** Reads the context that Node passes to resolve and load hooks. */
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toFile } from '../resolve/destination.ts';
import type { Thread } from '../resolve/thread.ts';

/** The conditions of a request: a Set in Node 22.15, and whatever another hook has put in their place. */
export function listConditions(conditions: unknown): unknown[] {
  if (Array.isArray(conditions)) return conditions;
  const isIterable =
    typeof conditions === 'object' && conditions !== null && Symbol.iterator in conditions;
  return isIterable ? [...(conditions as Iterable<unknown>)] : [];
}

/** Whether a request comes from require. Node lists the condition of its kind before those of `--conditions`. */
export const isForRequire = (conditions: unknown): boolean =>
  listConditions(conditions).find((each) => each === 'import' || each === 'require') === 'require';

/** The text of a parent URL. import.meta.resolve also takes a URL object; Node rejects anything else. */
export const toText = (url: unknown): string | undefined =>
  typeof url === 'string' ? url : url instanceof URL ? url.href : undefined;

/**
 * The path of the importing file. For the command line (`--import`) Node passes the working directory: an
 * invented file in it makes the search for packages start there.
 */
export function toParent(url: string | undefined): string | undefined {
  const file = toFile(url);
  return file?.[file.length - 1] === sep ? `${file}[directory]` : file;
}

/**
 * Makes the function that replaces the importing file of `load()`, which is annex's own, by the application's
 * package.json: the application asks.
 */
export function createToCaller({ home, settings }: Thread): (url: unknown) => unknown {
  if (home === undefined) return (url) => url;
  const own = pathToFileURL(join(home, 'index.js')).href;
  const core = pathToFileURL(join(settings.core.root, 'package.json')).href;
  return (url) => (url === own ? core : url);
}
