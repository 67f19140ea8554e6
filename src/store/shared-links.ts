/** Links in an entry to the packages that it shares with the core, for threads without annex's hooks. */
import { chmodSync, lstatSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { findCorePackage } from '../app/core.ts';
import { pathExists } from '../base/files.ts';
import { type DirHandle, ignoreErrors, makeIn, openIn, useDir, withDir } from './directory.ts';
import type { Entry } from './entry.ts';

/** A package name of one or two components, none of which starts with a dot. */
const NAME = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;

/**
 * Links each shared name in an entry's `node_modules` to the copy that Node finds from the core root. Replaces
 * only links that lead elsewhere.
 *
 * @param entry an entry, or a staging directory
 * @throws errors of the file system
 */
export function linkShared(
  entry: DirHandle,
  shared: Readonly<Record<string, unknown>>,
  root: string,
): void {
  for (const name of Object.keys(shared).filter((each) => NAME.test(each))) {
    const target = findCorePackage(name, root)?.dir;
    if (target === undefined) continue;
    const [first = '', second] = name.split('/');
    useDir(openIn(entry, 'node_modules'), (modules) => {
      if (second === undefined) return link(modules, first, target);
      if (!pathExists(modules.at(first)))
        withWritable(modules, () => makeIn(modules, first, 0o755));
      useDir(openIn(modules, first), (scope) => link(scope, second, target));
    });
  }
}

/** Repairs the links of an entry in the store, as far as this user may. A layer is never changed. */
export function repairLinks({ dir, isLayer, manifest }: Entry, root: string): void {
  if (isLayer) return;
  const store = join(dir, '../../..');
  const names = relative(store, dir).split(sep);
  ignoreErrors(() => withDir(store, names, (entry) => linkShared(entry, manifest.shared, root)));
}

function link(dir: DirHandle, name: string, target: string): void {
  const found = lstatSync(dir.at(name), { throwIfNoEntry: false });
  const isOther = found?.isSymbolicLink() === true && readlinkSync(dir.at(name)) !== target;
  if (found !== undefined && !isOther) return;
  withWritable(dir, () => {
    if (isOther) unlinkSync(dir.at(name));
    symlinkSync(target, dir.at(name));
  });
}

/** Directories of an entry are read-only. */
function withWritable(dir: DirHandle, action: () => void): void {
  chmodSync(dir.at(), 0o755);
  try {
    action();
  } finally {
    chmodSync(dir.at(), 0o555);
  }
}
