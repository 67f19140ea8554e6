/** Temporary working directories; the next run removes those of killed processes. */
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleNames, withDir } from './directory.ts';
import { checkOwner, nameOwner, parseOwned } from './owner.ts';
import { type Allowance, removeIn, tryRemoveIn } from './tree.ts';
import { isOwn } from './unmapped.ts';

/** Start of each name, before the owner. */
const BASE = 'annex-work';

/** Names that one run reads to clean up after killed processes. */
const MAX_NAMES = 10_000;
/** Directories that one run removes. */
const MAX_SWEPT = 50;
/** Files and directories that one run removes in them. */
const MAX_REMOVED = 20_000;

/**
 * Calls a function with a new directory, then removes the directory. No other user can read it. First removes
 * directories that killed processes of this user left.
 *
 * @param use receives a real path
 * @param parent the directory above it; by default, the system's temporary one
 * @throws what the function throws, and errors of the file system
 */
export async function withTemporary<T>(
  use: (dir: string) => Promise<T>,
  parent = tmpdir(),
): Promise<T> {
  const above = realpathSync(parent);
  const name = `${BASE}.${nameOwner()}`;
  withDir(above, [], (dir) => {
    const allowance: Allowance = { left: MAX_REMOVED };
    const abandoned = sampleNames(dir, MAX_NAMES).filter((other) =>
      isAbandonedDir(join(above, other), other),
    );
    for (const other of abandoned.slice(0, MAX_SWEPT)) tryRemoveIn(dir, other, allowance);
    mkdirSync(dir.at(name), { mode: 0o700 });
  });
  try {
    return await use(join(above, name));
  } finally {
    withDir(above, [], (dir) => removeIn(dir, name));
  }
}

/** Whether a directory belongs to this user, and its owner has ended. */
function isAbandonedDir(path: string, name: string): boolean {
  const { base, owner } = parseOwned(name) ?? {};
  if (base !== BASE || owner === undefined || checkOwner(owner) !== 'dead') return false;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && isOwn(path, stat);
}
