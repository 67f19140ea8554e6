/** Links in an entry to what it shares with the application, for threads in which no hook of annex runs. */
import { chmodSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { findCorePackage } from '../app/core.ts';
import { pathExists } from '../base/files.ts';
import { codeOf } from '../base/thrown.ts';
import { type DirHandle, makeIn, openIn, useDir, withDir } from './directory.ts';
import type { Entry } from './entry.ts';

/** A package name that is one or two components, and none of them hidden or a way up. */
const NAME = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;

/**
 * Links every shared name in an entry's `node_modules` to the application's copy, as Node sees it from
 * the core root. Nothing but a link is ever replaced; what is right already is not touched.
 *
 * @param entry the directory of an entry, or one that is to become one
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
      if (!pathExists(modules.at(first))) writing(modules, () => makeIn(modules, first, 0o755));
      useDir(openIn(modules, first), (scope) => link(scope, second, target));
    });
  }
}

/** As `linkShared`, for an entry of the store; one that cannot be written stays as it is, and so do layers. */
export function mendLinks({ dir, isLayer, manifest }: Entry, root: string): void {
  if (isLayer) return;
  try {
    const store = join(dir, '../../..');
    const names = relative(store, dir).split(sep);
    withDir(store, names, (entry) => linkShared(entry, manifest.shared, root));
  } catch {
    // Where hooks run nobody needs the links.
  }
}

function link(dir: DirHandle, name: string, target: string): void {
  if (pathExists(dir.at(name))) {
    if (!isOther(dir, name, target)) return;
    writing(dir, () => {
      unlinkSync(dir.at(name));
      symlinkSync(target, dir.at(name));
    });
    return;
  }
  writing(dir, () => symlinkSync(target, dir.at(name)));
}

/** Whether there is a link that leads elsewhere. */
function isOther(dir: DirHandle, name: string, target: string): boolean {
  try {
    return readlinkSync(dir.at(name)) !== target;
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
    return false;
  }
}

/** Directories of an entry are read-only. */
function writing(dir: DirHandle, action: () => void): void {
  chmodSync(dir.at(), 0o755);
  try {
    action();
  } finally {
    chmodSync(dir.at(), 0o555);
  }
}
