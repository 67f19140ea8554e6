/** Digests and removes directory trees, sealed ones included. */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

function describe(path: string): string {
  const stats = lstatSync(path);
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  if (stats.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (stats.isDirectory()) return `directory ${mode}`;
  if (!stats.isFile()) return `special ${mode}`;
  return `file ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
}

/**
 * Everything below a directory, to prove that nothing changed.
 * @returns by relative path (`.` for the directory itself): `file MODE SHA256`, `directory MODE` or `link TARGET`;
 * empty when there is no such directory
 */
export function digestTree(directory: string): Record<string, string> {
  if (!lstatSync(directory, { throwIfNoEntry: false })) return {};
  const names = ['.', ...listTree(directory)].sort();
  return Object.fromEntries(names.map((name) => [name, describe(join(directory, name))]));
}

/** Paths below a directory, relative to it. Links are not followed, unlike readdir on some versions of Node. */
function listTree(directory: string, prefix = ''): string[] {
  return readdirSync(join(directory, prefix), { withFileTypes: true }).flatMap((entry) => {
    const path = `${prefix}${entry.name}`;
    return entry.isDirectory() ? [path, ...listTree(directory, `${path}/`)] : [path];
  });
}

/** Makes every directory of a tree writable for its owner, since files in one of mode 0555 cannot be removed. */
function unseal(directory: string): void {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return;
  if ((stats.mode & 0o700) !== 0o700) chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) unseal(join(directory, entry.name));
  }
}

/** Removes a tree, read-only directories in it included. Absent is fine. */
export function removeTree(directory: string): void {
  unseal(directory);
  rmSync(directory, { recursive: true, force: true });
}
