/** The mark of a generation that is not to be used any more: whether there is one, and what it says. */
import { codeOf, refusalOf } from '../errors.ts';
import { inDir } from './dir.ts';
import { RETIRED, retirementName, VERSION } from './layout.ts';
import { readText } from './regular.ts';

/** Of the reason in a mark. */
const MOST_BYTES = 2 ** 16;

/**
 * Why a generation was retired; undefined when it was not. One look.
 *
 * @param entry its directory, which may be gone already
 */
export function findRetirement(store: string, entry: string): string | undefined {
  try {
    return inDir(store, [VERSION, RETIRED], (dir) =>
      readText(dir.at(retirementName(entry)), MOST_BYTES),
    );
  } catch (error) {
    const code = codeOf(error);
    // No generation can be marked where the directory of the marks is none.
    const isUnmarked = code === 'ENOENT' || code === 'ENOTDIR' || refusalOf(error) !== undefined;
    return isUnmarked ? undefined : `its mark: ${code}`;
  }
}
