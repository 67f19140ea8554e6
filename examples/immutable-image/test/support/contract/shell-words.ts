/** Tokenizer for the shell scripts of the examples: words without quotes, and the variables that they expand. */

/** One word. */
export interface ShellWord {
  /** Without quotes and backslashes; expansions are kept. */
  text: string;
  /** Counted from 1. */
  line: number;
}

/** Characters that end a word. */
const BREAKS = /[\s;&|<>()]/;

/**
 * Splits a script into words, without comments. `$(...)` and `${...}` inside a word belong to it.
 *
 * @example readWords('exec a "b c" # d') // words 'exec', 'a', 'b c'
 */
export function readWords(script: string): ShellWord[] {
  const words: ShellWord[] = [];
  let word: ShellWord | undefined;
  let quote = '';
  let line = 1;
  const add = (text: string): void => {
    word ??= { text: '', line };
    word.text += text;
  };
  const end = (): void => {
    if (word !== undefined) words.push(word);
    word = undefined;
  };
  for (let index = 0; index < script.length; index++) {
    const char = script[index] ?? '';
    const next = script[index + 1] ?? '';
    if (char === '\n') line++;
    if (quote !== "'" && char === '\\') {
      if (next === '\n') line++;
      else add(next);
      index++;
    } else if (quote !== "'" && char === '$' && /[({]/.test(next)) {
      const length = measureExpansion(script.slice(index));
      const text = script.slice(index, index + length);
      add(text.replaceAll('"', ''));
      line += text.split('\n').length - 1;
      index += length - 1;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else add(char);
    } else if (char === "'" || char === '"') {
      quote = char;
      add('');
    } else if (char === '#' && word === undefined) {
      while (index + 1 < script.length && script[index + 1] !== '\n') index++;
    } else if (BREAKS.test(char)) {
      end();
    } else {
      add(char);
    }
  }
  end();
  return words;
}

/** Length of `$(...)` or `${...}`, by its brackets. */
function measureExpansion(text: string): number {
  let depth = 0;
  for (let index = 1; index < text.length; index++) {
    if (/[({]/.test(text[index] ?? '')) depth++;
    if (/[)}]/.test(text[index] ?? '') && --depth === 0) return index + 1;
  }
  return text.length;
}

/** Values that a script assigns to a variable, in order; expansions are kept. */
export const readAssignments = (words: readonly ShellWord[], name: string): string[] =>
  words
    .filter(({ text }) => text.startsWith(`${name}=`))
    .map(({ text }) => text.slice(name.length + 1));

/** Names of the variables that words expand: `$NAME`, `${NAME...}`. */
export const readExpansions = (words: readonly ShellWord[]): string[] =>
  words.flatMap(({ text }) =>
    [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name),
  );
