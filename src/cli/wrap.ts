/** Breaks text into lines that fit a terminal. */

/** Columns of a text that goes elsewhere than to a terminal. */
const DEFAULT_WIDTH = 80;

/**
 * Breaks a text at spaces. A longer word has a line of its own.
 *
 * @param indent columns that something else takes
 * @example wrap('one two three', 72) // ['one two', 'three']
 */
export function wrap(text: string, indent = 0): string[] {
  const width = DEFAULT_WIDTH - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
