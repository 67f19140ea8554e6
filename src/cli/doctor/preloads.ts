/** The modules that an environment or a command line of Node preloads. */
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readPackage } from '../../base/package-json.ts';
import { listAncestors, toRealPath } from '../../base/paths.ts';

/** A module that Node loads before the program. */
export interface Preload {
  flag: '--require' | '--import' | '--loader';
  /** As written. */
  name: string;
}

const FLAGS: Record<string, Preload['flag']> = {
  '-r': '--require',
  '--require': '--require',
  '--import': '--import',
  '--loader': '--loader',
  '--experimental-loader': '--loader',
};

/** Lists preloads in the order in which Node loads them: every `--require` comes before every `--import`. */
export function listPreloads(words: readonly string[]): Preload[] {
  const found: Preload[] = [];
  let flag: Preload['flag'] | undefined;
  for (const word of words) {
    if (flag !== undefined) {
      found.push({ flag, name: word });
      flag = undefined;
      continue;
    }
    const [, option = '', value] = /^(-[^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const known = FLAGS[option.replaceAll('_', '-')];
    if (known === undefined) continue;
    if (value === undefined) flag = known;
    else found.push({ flag: known, name: value });
  }
  const order = ['--require', '--loader', '--import'];
  return found.sort((a, b) => order.indexOf(a.flag) - order.indexOf(b.flag));
}

/** Whether a preload is found from every working directory. */
export const isFixed = ({ name }: Preload): boolean => isAbsolute(name) || name.startsWith('file:');

/**
 * The directory of the copy of annex that a preload belongs to; undefined for other preloads. It need not exist.
 *
 * @param cwd where Node starts
 */
export function findAnnexDir({ name }: Preload, cwd: string): string | undefined {
  const file = findFile(name, cwd);
  const dirs = file === undefined ? [] : listAncestors(toRealPath(file)).slice(1, 3);
  const dir = dirs.find((each) => readPackage(each)?.name === 'annex');
  if (dir !== undefined) return dir;
  const [, named] =
    /^(.*\bannex)[\\/](?:loader\.mjs|register|dist[\\/](?:loader|register)\.c?js)$/.exec(
      file ?? name,
    ) ?? [];
  return named;
}

/** The file of a preload: it may be absent if it is named by its path. */
function findFile(name: string, cwd: string): string | undefined {
  try {
    if (name.startsWith('file:')) return fileURLToPath(name);
    if (isAbsolute(name)) return name;
    if (/^\.\.?[\\/]/.test(name)) return resolve(cwd, name);
    return createRequire(join(cwd, 'preload')).resolve(name);
  } catch {
    return undefined;
  }
}
