/** Finds the name that a mistyped one may mean. */
import { countEdits } from './parse.ts';

/** Edits between two names up to which one may be meant by the other, if both are long. */
const MAX_EDITS = 3;

/**
 * The nearest of some names, of several one with the same first letter; undefined when none is near. Half of the
 * letters may differ, or the end may be missing.
 *
 * @example findNearest('lsit', ['list', 'lock']) // 'list'
 */
export function findNearest(word: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.min(MAX_EDITS, Math.floor(word.length / 2)) + 1;
  for (const name of names) {
    // Names of other lengths are as many edits away.
    if (Math.abs(name.length - word.length) > least) continue;
    const edits = countEdits(word.toLowerCase(), name.toLowerCase());
    const isBetter = nearest !== undefined && nearest[0] !== word[0] && name[0] === word[0];
    if (edits < least || (edits === least && isBetter)) [nearest, least] = [name, edits];
  }
  if (nearest !== undefined || word.length < MAX_EDITS) return nearest;
  return names.find((name) => name.startsWith(word));
}

/**
 * A question for the end of a message; empty when no name is near.
 *
 * @example suggest('lsit', ['list', 'lock']) // '; did you mean list?'
 */
export function suggest(word: string, names: readonly string[]): string {
  const nearest = findNearest(word, names);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
