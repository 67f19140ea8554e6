/** Reads the context that Node passes to resolve and load hooks. */
import { sep } from 'node:path';
import { toFile } from '../resolve/destination.ts';

/** Whether require made a request: its condition comes before those of `--conditions`. */
export const isForRequire = (conditions: string[]): boolean =>
  conditions.find((condition) => condition === 'import' || condition === 'require') === 'require';

/** The text of a parent URL. import.meta.resolve also takes a URL object; Node rejects anything else. */
export const toText = (url: unknown): string | undefined =>
  typeof url === 'string' ? url : url instanceof URL ? url.href : undefined;

/**
 * The path of the file that imports. Of the command line (`--import`) Node gives the working directory:
 * a made-up name in it lets the search for packages begin there.
 */
export function toParent(url: string | undefined): string | undefined {
  const file = toFile(url);
  return file?.[file.length - 1] === sep ? `${file}[directory]` : file;
}
