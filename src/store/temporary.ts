/** Temporary working directories. Those of killed processes are removed by the next run. */
import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sampleNames, withDir } from './directory.ts';
import { checkOwner, nameOwner, parseOwned } from './owner.ts';
import { type Allowance, removeIn, tryRemoveIn } from './tree.ts';

/** How the name of each begins; what follows names the process that made it. */
const BASE = 'annex-work';

/** What one run does for the dead at most: names that it looks at, */
const MOST_NAMES = 10_000;
/** directories that it removes, */
const MOST_SWEPT = 50;
/** and files and directories in them. */
const MOST_REMOVED = 20_000;

/**
 * Calls a function with a fresh directory below the system's temporary one, which no other user can
 * read, and removes it. Directories that killed processes of this user left are removed first.
 *
 * @param use called with a real path
 * @throws what the function throws, and errors of the file system
 */
export async function withTemporary<T>(use: (dir: string) => Promise<T>): Promise<T> {
  const above = realpathSync(tmpdir());
  const name = `${BASE}.${nameOwner()}`;
  withDir(above, [], (dir) => {
    const allowance: Allowance = { left: MOST_REMOVED };
    const debris = sampleNames(dir, MOST_NAMES).filter((other) =>
      isLeft(join(above, other), other),
    );
    for (const other of debris.slice(0, MOST_SWEPT)) tryRemoveIn(dir, other, allowance);
    mkdirSync(dir.at(name), { mode: 0o700 });
  });
  try {
    return await use(join(above, name));
  } finally {
    withDir(above, [], (dir) => removeIn(dir, name));
  }
}

/** Whether it is a directory of this user whose process is known to have ended. */
function isLeft(path: string, name: string): boolean {
  const { base, owner } = parseOwned(name) ?? {};
  if (base !== BASE || owner === undefined || checkOwner(owner) !== 'dead') return false;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === (process.geteuid?.() ?? stat.uid);
}
