/** Variables, feature names and numbers in the files of the example that nothing else knows. */
import { readSteps } from './dockerfile.ts';
import { type Files, PAGE, readText } from './files.ts';
import { readCompose } from './manifest-facts.ts';
import { readModule } from './module.ts';
import { readExpansions, readWords } from './shell-words.ts';
import { isShell, readAllWords } from './words.ts';

/** Read by Node, npm and s6-overlay. */
const ELSEWHERE =
  /^(NODE_OPTIONS|NODE_ENV|NODE_DISABLE_COMPILE_CACHE|npm_config_(registry|cafile|userconfig)|S6_(BEHAVIOUR_IF_STAGE2_FAILS|READ_ONLY_ROOT))$/;
/** Capabilities, and codes of errors. */
const NO_VARIABLE = /^(CAP_\w+|E[A-Z]+)$/;
const NAME = /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g;

const nameOf = (setting: string): string => setting.replace(/=.*/s, '');

/** Variables that the application and its scripts read. */
function listRead(files: Files): Set<string> {
  const scripts = [...files].filter(([path, text]) => isShell(path, text));
  const words = scripts.flatMap(([, text]) => readWords(text));
  const own = new Set(words.map(({ text }) => /^([A-Z_]+)=/.exec(text)?.[1]));
  const expanded = readExpansions(words).filter((name) => /^[A-Z]/.test(name) && !own.has(name));
  const modules = [...files].filter(([path]) => path.endsWith('.mjs'));
  return new Set([...expanded, ...modules.flatMap(([, text]) => readModule(text).variables)]);
}

/**
 * Lists variables that are set or named but never read, and those of the application that the page lacks.
 * @param known variables and codes of annex
 */
export function listOddVariables(files: Files, known: ReadonlySet<string>): string[] {
  const read = listRead(files);
  const steps = readSteps(readText(files, 'Dockerfile'));
  const settings = (keyword: string) =>
    steps.filter((step) => step.keyword === keyword).flatMap(({ words }) => words.map(nameOf));
  const compose = readText(files, 'docker-compose.yml');
  const comments = [...`${compose}\n${readText(files, 'kubernetes.yaml')}`.matchAll(/#.*/g)].join();
  const pages = [...files].flatMap(([path, text]) => (path.endsWith('.md') ? text : [])).join('\n');
  const page = (readAllWords(files).get(PAGE) ?? []).join('\n');
  const isKnown = (name: string): boolean =>
    read.has(name) || known.has(name) || ELSEWHERE.test(name) || NO_VARIABLE.test(name);
  const odd = Object.entries({
    Dockerfile: settings('ENV'),
    'docker-compose.yml': readCompose(compose).variables,
    'a comment': [...(comments.match(NAME) ?? []), ...(comments.match(/npm_config_\w+/g) ?? [])],
    'a script': listScriptNames(files),
    'a page': [...(pages.match(NAME) ?? []), ...(pages.match(/npm_config_\w+/g) ?? [])],
  }).flatMap(([where, names]) =>
    names.filter((name) => !isKnown(name)).map((name) => `${where}: nobody reads ${name}`),
  );
  const silent = [...read].filter((name) => !new RegExp(`\\b${name}\\b`).test(page));
  return [...odd, ...silent.map((name) => `the page says nothing of ${name}`)];
}

/** Variables that scripts name, also in messages, and do not set. */
function listScriptNames(files: Files): string[] {
  const words = [...files]
    .filter(([path, text]) => isShell(path, text))
    .flatMap(([, text]) => readWords(text).map((word) => word.text));
  const own = new Set(words.map((word) => /^([A-Z_]+)=/.exec(word)?.[1]));
  return words.flatMap((word) => word.match(NAME) ?? []).filter((name) => !own.has(name));
}

/** Lists features that are named but not declared. */
export function listOddFeatures(files: Files): string[] {
  const { annex } = JSON.parse(readText(files, 'package.json')) as { annex: { features: object } };
  const features = Object.keys(annex.features);
  const groups = [...new Set(features.map((name) => name.split('.')[0]))].join('|');
  const pattern = new RegExp(`(?<![\\w.])(?:${groups})\\.[a-z]+\\b`, 'g');
  return [...readAllWords(files)].flatMap(([path, words]) =>
    words
      .flatMap((word) => word.match(pattern) ?? [])
      .filter((name) => !features.includes(name))
      .map((name) => `${path}: ${name} is not declared`),
  );
}

/** Lists numbers that look like a user or a port but differ from `uid` and `ports`. */
export function listOddNumbers(files: Files, uid: string, ports: readonly string[]): string[] {
  const words = readAllWords(files);
  return [...files].flatMap(([path, text]) => {
    if (/\.mjs$|\.json$/.test(path)) return [];
    const said = isShell(path, text) ? (words.get(path) ?? []).join('\n') : text;
    const numbers = said.match(/(?<![\w.-])(?:[1-6]\d{4}|8\d{3})(?![\w.])/g) ?? [];
    const allowed = ['65534', uid, ...ports];
    return numbers
      .filter((number) => !allowed.includes(number))
      .map((number) => `${path}: ${number}`);
  });
}
