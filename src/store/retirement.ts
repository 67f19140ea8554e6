/** The mark of a generation that is not to be used any more: whether there is one, and what it says. */
import { lstatSync } from 'node:fs';
import { AnnexError } from '../base/error.ts';
import { readText } from '../base/files.ts';
import { RETIRED, retirementName, VERSION } from '../base/store-layout.ts';
import { codeOf, isNotFound } from '../base/thrown.ts';
import { type DirHandle, withDir } from './directory.ts';

/** Of the reason in a mark. */
const MOST_BYTES = 2 ** 16;

/**
 * Why a generation was retired; undefined when it was not. One look.
 *
 * @param entry its directory, which may be gone already
 * @throws errors of the file system that leave open whether there is a mark
 */
export function findRetirement(store: string, entry: string): string | undefined {
  try {
    return withDir(store, [VERSION, RETIRED], (dir) => readMark(dir, retirementName(entry)));
  } catch (error) {
    // No generation can be marked where the directory of the marks is none.
    if (isNotFound(error) || error instanceof AnnexError) return undefined;
    throw error;
  }
}

/** A mark that cannot be read marks all the same. */
function readMark(dir: DirHandle, name: string): string {
  try {
    return readText(dir.at(name), MOST_BYTES);
  } catch (error) {
    lstatSync(dir.at(name));
    return `its mark: ${codeOf(error)}`;
  }
}
