/** Looks up names anew that the kernel remembers as absent: another host may have made them meanwhile. */
import { linkSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, isNotFound } from '../base/thrown.ts';

/**
 * Looks up a path below a store, so that later calls find what another host has published. Creates nothing.
 *
 * Network file systems let the kernel remember that a name is absent, for seconds or a minute. On NFS, reading
 * the directory ends that. On FUSE, even a name that was just listed stays absent. Linux asks the file system
 * again for a name that is about to be created (LOOKUP_EXCL). link(2) does that, and cannot create a second name
 * of a directory, least of all on another mount: it fails with EEXIST for a name that is there after all, and with
 * EXDEV otherwise. On one mount Linux would report the call to its audit log as a suspicious link.
 *
 * @example lookAfresh('/data/annex', ['v1', 'any', 'exa-js.0123456789abcdef0123456789abcdef.0'])
 */
export function lookAfresh(store: string, names: readonly string[]): void {
  if (process.platform !== 'linux') return;
  for (let path = store, at = 0; isThere(path); at++) {
    const name = names[at];
    if (name === undefined) return;
    path = join(path, name);
  }
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if (!isNotFound(error)) return false;
  }
  try {
    linkSync('/proc', path);
  } catch (error) {
    return codeOf(error) === 'EEXIST';
  }
  return false;
}
