/** Reads files that somebody else may have put there. */
import { lstatSync, readFileSync, type Stats } from 'node:fs';

/**
 * The text of a regular file: a pipe would be waited for, and a device read for ever.
 *
 * @param look `statSync` for a file that may be a link, as those are that Kubernetes mounts
 * @throws errors of the file system; EINVAL when it is something else
 */
export function readRegular(path: string, look: (path: string) => Stats = lstatSync): string {
  if (look(path).isFile()) return readFileSync(path, 'utf8');
  throw Object.assign(new Error(`${path} is no file`), { code: 'EINVAL', path });
}
