/** Compares what has to be sound when a thread first uses an entry, and what no load from it shows. */
import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BARRIER } from '../base/store-layout.ts';
import { canChangeLinking } from './additions.ts';
import type { Contents } from './contents.ts';
import { sizeOf } from './listing.ts';
import {
  canReach,
  compareBarrier,
  compareListed,
  type Difference,
  leadsNowhere,
  toKind,
  toProblem,
} from './verify.ts';

/**
 * Compares what no load from an entry shows: the barrier, compiled code, programs and, in an entry with an addon, the
 * names of libraries. Of each package.json, which Node reads before its answer can be verified, it compares the size.
 *
 * @throws transient errors of the file system
 */
export function findFirstUseDifference(dir: string, contents: Contents): Difference | undefined {
  const { natives } = contents;
  const barrier = compareBarrier(dir);
  if (barrier !== undefined) return { path: BARRIER, problem: barrier };
  for (const [path, value] of natives) {
    const problem = compareListed(join(dir, path), value);
    if (problem !== undefined) return { path, problem };
  }
  for (const owner of contents.packages) {
    const path = `${owner}/package.json`;
    const size = sizeOf(contents.find(path) ?? '');
    if (hasOtherSize(join(dir, path), size)) return { path, problem: 'changed' };
  }
  const hasAddon = natives.some(([path]) => path.endsWith('.node'));
  return hasAddon ? findAddedLibrary(dir, 'node_modules', contents) : undefined;
}

/** Searches a directory of an entry, and all below it, for additions that can change what an addon is linked to. */
function findAddedLibrary(dir: string, path: string, contents: Contents): Difference | undefined {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(join(dir, path), { withFileTypes: true });
  } catch (error) {
    if (canReach(join(dir, path), error)) return { path, problem: toProblem(error) };
  }
  for (const entry of entries) {
    const below = `${path}/${entry.name}`;
    const kind = toKind(entry);
    if (contents.find(below) !== undefined) continue;
    if (canChangeLinking(below, kind, contents.shared)) return { path: below, problem: 'added' };
    const found = kind === 'directory' ? findAddedLibrary(dir, below, contents) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @param expected size of a regular file, bytes; NaN for anything else */
function hasOtherSize(path: string, expected: number): boolean {
  if (Number.isNaN(expected)) return false;
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats !== undefined && !(stats.isFile() && stats.size === expected);
  } catch (error) {
    return !leadsNowhere(error) && toProblem(error) !== undefined;
  }
}
