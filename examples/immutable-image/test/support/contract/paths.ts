/** Paths that exist in the image, and paths that files name. */
import { dirname, join } from 'node:path';
import { readAfter, readEnv, readSteps } from './dockerfile.ts';
import { EXAMPLE, type Files, PAGE, readText } from './files.ts';
import { readModule } from './module.ts';
import { readGivenFiles, readQuotes } from './page.ts';
import { readAssignments, readWords } from './shell-words.ts';
import { readAllWords } from './words.ts';

/** Paths of the base image, s6 and the kernel. */
const BASE =
  /^(\/bin\/(sh|true|mkdir)|\/usr\/bin\/(env|test|s6-[a-z]+)|\/dev\/null|\/tmp|\/run|\/var\/lib\/apt\/lists\/\*)$/;
/** Paths of s6-overlay: https://github.com/just-containers/s6-overlay */
const OVERLAY = /^\/(command\/with-contenv|etc\/s6-overlay\/s6-rc\.d\/user\/contents\.d\/\w+)$/;

/** An absolute path at the start of a word, or after an allowed prefix. */
const PATH = /(?<=^|[\s=:"'`(,]|localhost:\d+)\/(?:[\w.@*+-]|\$\w+)+(?:\/(?:[\w.@*+-]|\$\w+)*)*/g;

/** `/a/b/` and `/a/b/*` mean the directory. */
const trim = (path: string): string => path.replace(/(\/\*?|\.)+$/, '');

/** Lists paths that files name and the image lacks: `FILE: PATH`. */
export function listUnknownPaths(files: Files): string[] {
  const known = listKnownPaths(files);
  // A variable in a path matches any name.
  const isKnown = (path: string): boolean => {
    const pattern = new RegExp(
      `^${trim(path).replace(/[.*+]/g, '\\$&').replace(/\$\w+/g, '[^/]+')}$`,
    );
    return (
      known.has(trim(path)) || (path.includes('$') && [...known].some((one) => pattern.test(one)))
    );
  };
  return [...readAllWords(files)].flatMap(([file, words]) =>
    words
      .map((word) => resolveHere(files, file, word))
      .flatMap((word) => word.match(PATH) ?? [])
      .filter((path) => !BASE.test(path) && !isKnown(path))
      .filter((path) => file !== PAGE || !OVERLAY.test(path))
      .map((path) => `${file}: ${path} is not in the image`),
  );
}

/** Image path of a source of COPY or of an import. */
function resolveHere(files: Files, file: string, word: string): string {
  if (word.startsWith('rootfs/')) return word.slice('rootfs'.length);
  if (!file.endsWith('.mjs') || !/^\.{1,2}\/.*\.mjs$/.test(word)) return word;
  const path = join(dirname(file), word);
  return files.has(path) ? word : `/${path}`;
}

function listKnownPaths(files: Files): Set<string> {
  const steps = readSteps(readText(files, 'Dockerfile'));
  const core = readEnv(steps, 'ANNEX_CORE') ?? '';
  const [store = '', layer = ''] =
    /^([^$]*)\$\{BAKE:\+:(.*)\}$/.exec(readEnv(steps, 'ANNEX_STORE') ?? '')?.slice(1) ?? [];
  const [volume = ''] = steps.find(({ keyword }) => keyword === 'VOLUME')?.words ?? [];
  const [home = ''] = steps.flatMap(({ words }) => readAfter(words, '--home-dir'));
  const common = readWords(readText(files, 'rootfs/usr/local/lib/agent/common.sh'));
  const [services = ''] = readAssignments(common, 'services');
  const own = [...files.keys()].map((path) => path.slice(EXAMPLE.length));
  const inRoot = own.filter((path) => path.startsWith('/rootfs/')).map((path) => path.slice(7));
  const inCore = own.filter((path) => /^\/(bin|src)\//.test(path)).map((path) => core + path);
  const installed = ['annex/loader.mjs', '.bin/annex'].map(
    (path) => `${core}/node_modules/${path}`,
  );
  const page = readText(files, PAGE);
  const named = [...inRoot, ...inCore, ...installed, ...readGivenFiles(page).keys()];
  // Empty files have no block.
  const empty = readQuotes(page).filter((quote) =>
    /^\/etc\/s6-overlay\/\S+\.d\/[\w-]+$/.test(quote),
  );
  return new Set(
    [...listWithParents([...named, ...empty, '/rootfs']), ...listRoutes(files)].concat(
      [core, store, layer, volume, home, services].filter(Boolean),
    ),
  );
}

/** Paths and their parent directories, except the root. */
const listWithParents = (paths: readonly string[]): string[] =>
  paths.flatMap((path) => {
    const parts = path.split('/').slice(1);
    return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
  });

/** Routes of the HTTP servers. */
export const listRoutes = (files: Files): string[] =>
  [...files]
    .filter(([path]) => path.startsWith(`${EXAMPLE}/src/`))
    .flatMap(([, text]) => readModule(text).keys)
    .flatMap((key) => /^[A-Z]+ (\/.*)$/.exec(key)?.[1] ?? []);
