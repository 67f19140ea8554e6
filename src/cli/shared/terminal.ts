/** What a terminal can show: colours, and the width of a line. */
import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { currentEnv, type Variables } from '../../base/environment.ts';

/** Colours and weights of texts. */
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** How a text is shown. */
export interface Look {
  /** Columns of a line. */
  width: number;
  /** Styles a title. */
  head: (title: string) => string;
}

/**
 * Whether a stream shows colours: a terminal does, unless a variable says otherwise.
 *
 * @see https://no-color.org and https://force-color.org
 */
function hasColors(file: 1 | 2, env: Variables = currentEnv()): boolean {
  const { FORCE_COLOR, NO_COLOR = '', TERM } = env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return NO_COLOR === '' && TERM !== 'dumb' && isatty(file);
}

/**
 * Styles a text for stdout, or for stderr. Elsewhere than on a terminal it stays as it is.
 *
 * @example paint('bold', 'feature') // '\x1b[1mfeature\x1b[22m'
 */
export const paint = (style: Style, text: string, file: 1 | 2 = 1): string =>
  hasColors(file) && text !== '' ? styleText(style, text, { validateStream: false }) : text;

/** Columns of a line on stdout or stderr; undefined where it is no terminal. */
export function findWidth(file: 1 | 2): number | undefined {
  if (!isatty(file)) return undefined;
  // Some terminals say 0.
  return (file === 1 ? process.stdout : process.stderr).columns || 80;
}
