/** Recognizes where annex stays inactive: in package managers, and in the hooks thread of Node. */
import { join } from 'node:path';
import { isMainThread, loadThreads } from '../base/main-thread.ts';
import { CLI, findHere } from '../base/own-files.ts';
import { parsePackage, readPackageText } from '../base/package-json.ts';
import { isInEntry } from '../base/store-layout.ts';

/** Whether this is the thread of module.register, which runs `--require` preloads too: it has no parent port. */
export const isHooksThread = (): boolean => !isMainThread && loadThreads().parentPort === null;

/** Directory and name of a package manager, in the path of one of its programs; the directory may end in a version. */
const MANAGER =
  /^(.*[\\/](npm|pnpm|yarn|corepack|annex)(?:[\\/]\d[^\\/]*)?)[\\/](?:bin|lib|dist(?:[\\/]cli)?)[\\/][^\\/]+$/;

/** Whether a script is a program of a package manager, or annex's own command line. */
export function isPackageManager(script: string): boolean {
  if (isInEntry(script)) return false;
  const here = findHere();
  if (here !== undefined && script === join(here, CLI)) return true;
  const [, dir, name] = MANAGER.exec(script) ?? [];
  return dir !== undefined && findName(dir) === name;
}

/** The name in the package.json of a directory, if it can be read. */
function findName(dir: string): unknown {
  try {
    return parsePackage(readPackageText(dir)).name;
  } catch {
    return undefined;
  }
}
