/** Whole trees of files: sealed, measured, removed. */
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a tree read-only: directories 0555, files 0444, execute bits kept. */
export function sealTree(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) sealTree(path);
    else if (entry.isFile()) chmodSync(path, (lstatSync(path).mode & 0o111) === 0 ? 0o444 : 0o555);
  }
  chmodSync(dir, 0o555);
}

/** Removes a tree, read-only directories included. */
export function removeTree(dir: string): void {
  const stat = lstatSync(dir, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) {
    chmodSync(dir, 0o755);
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(dir, entry.name));
    }
  }
  rmSync(dir, { recursive: true, force: true });
}

/** Size of a tree in bytes. */
export function measureTree(dir: string): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    bytes += entry.isDirectory() ? measureTree(path) : lstatSync(path).size;
  }
  return bytes;
}

/** Removes debris; what another user left, or is removing at this moment, is in nobody's way. */
export function sweep(path: string): void {
  try {
    removeTree(path);
  } catch {
    // It stays until its owner installs something.
  }
}
