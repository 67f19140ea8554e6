/** Reads the context that Node passes to resolve and load hooks. */
import { sep } from 'node:path';
import { toFile } from '../resolve/destination.ts';

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
