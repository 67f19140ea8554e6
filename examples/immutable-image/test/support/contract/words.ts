/** Words of every file of the example, read with a parser for its language. */
import { parseYaml } from '../manifests.ts';
import { readSteps } from './dockerfile.ts';
import { type Files, remember } from './files.ts';
import { readModule } from './module.ts';
import { readBlocks, readProse } from './page.ts';
import { readWords } from './shell-words.ts';

/** Whether a file is a shell script, by its name or first line. */
export const isShell = (path: string, text: string): boolean =>
  path.endsWith('.sh') || /^#!(\/bin\/|\/command\/with-contenv )sh\n/.test(text);

/**
 * Words by path, without comments. For a page: fenced blocks and prose. For YAML and modules: strings and numbers.
 * None for files in other languages.
 */
export const readAllWords = (files: Files): Map<string, string[]> =>
  new Map([...files].map(([path, text]) => [path, readFileWords(`${path}\0${text}`)]));

const readFileWords = remember((named) => {
  const [path = '', text = ''] = named.split('\0');
  return readLanguage(path, text);
});

function readLanguage(path: string, text: string): string[] {
  if (isShell(path, text)) return readScript(text);
  if (path.endsWith('Dockerfile')) return readDockerfile(text);
  if (path.endsWith('.mjs')) return readModule(text).strings;
  if (/\.ya?ml$/.test(path)) return parseYaml(text).flatMap(readLeaves);
  if (!path.endsWith('.md')) return [];
  const blocks = readBlocks(text).flatMap(({ language, text }) => {
    if (language === 'dockerfile') return readDockerfile(text);
    return language === 'sh' || language === '' ? readScript(text) : [];
  });
  return [...blocks, ...readProse(text).replaceAll('`', ' ').split(/\s+/)];
}

const readDockerfile = (text: string): string[] => readSteps(text).flatMap(({ words }) => words);

/** Includes the line that names the interpreter. */
function readScript(text: string): string[] {
  const [, interpreter = ''] = /^#!(.*)/.exec(text) ?? [];
  return [interpreter, ...readWords(text).map((word) => word.text)];
}

/** All strings and numbers in a value. */
function readLeaves(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, child]) => [key, ...readLeaves(child)]);
  }
  return value === null ? [] : [String(value)];
}
