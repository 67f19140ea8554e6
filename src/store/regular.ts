/** Reads files that somebody else may have put in a store. */
import { lstatSync, readFileSync } from 'node:fs';

/**
 * The text of a regular file: a pipe would be waited for, and a device read for ever.
 *
 * @throws errors of the file system; EINVAL when it is something else
 */
export function readRegular(path: string): string {
  if (lstatSync(path).isFile()) return readFileSync(path, 'utf8');
  throw Object.assign(new Error(`${path} is no file`), { code: 'EINVAL', path });
}
