/** Paths of the file system: real paths, ancestors, and the working directory. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The working directory; undefined when it was deleted. */
export function readCwd(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** A directory and all above it, nearest first. */
export function listAncestors(start: string): string[] {
  const dirs = [start];
  for (let dir = start, up = dirname(dir); up !== dir; dir = up, up = dirname(dir)) dirs.push(up);
  return dirs;
}

/** The real path. Parts that do not exist are kept. */
export function toRealPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const up = dirname(path);
    return up === path ? path : join(toRealPath(up), basename(path));
  }
}
