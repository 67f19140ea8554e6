/** Rules of src/: imports between folders, modules that the preload may load, and the size and head of a file. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isPure, LAYERS } from '../../data/layers.ts';
import { repositoryRoot } from '../../support/package.ts';

/** Takes milliseconds to load, and at most an installer needs it. */
const HEAVY = [
  ...['execa', 'semver', 'es-module-lexer', 'tar'],
  ...['node:child_process', 'node:crypto', 'node:os', 'node:worker_threads'],
];
/** Every start of Node has loaded these. */
const LOADED = ['node:fs', 'node:module', 'node:path', 'node:url'];
/** Things that a pure file does not use. */
const IMPURE_MODULES = ['node:fs', 'node:child_process', 'node:worker_threads', 'node:os'];
const IMPURE_WORDS = /\bprocess\.\w|\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\./;

interface Import {
  /** Specifiers as written; files of src/ relative to it. */
  target: string;
  isType: boolean;
}

interface Source {
  path: string;
  text: string;
  /** Without comments. */
  code: string;
  /** At load: `import ... from`, `import '...'`, `export ... from`. */
  imports: Import[];
}

const sourceRoot = join(repositoryRoot, 'src');

function readSource(path: string): Source {
  const text = readFileSync(join(sourceRoot, path), 'utf8');
  const code = text.replace(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = code.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm);
  const imports = [...found].map(([, type, target = '']) => ({
    target: target.startsWith('.') ? normalize(join(dirname(path), target)) : target,
    isType: type !== undefined,
  }));
  return { path, text, code, imports };
}

const sources = new Map(
  readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => [path, readSource(path)]),
);
const all = [...sources.values()];

/** Everything that is loaded with a file, as ways to it: `register.ts > hooks/activate.ts > node:module`. */
function listReachable(from: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string, way: string): void => {
    if (found.has(path)) return;
    found.set(path, way);
    for (const { target, isType } of sources.get(path)?.imports ?? []) {
      if (!isType) visit(target, `${way} > ${target}`);
    }
  };
  visit(from, from);
  return found;
}

/** Pairs of files, for imports that a rule forbids. */
function listImports(isForbidden: (from: string, to: string) => boolean): string[] {
  return all.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => isForbidden(path, target))
      .map(({ target }) => `${path} > ${target}`),
  );
}

const isHeavy = (target: string): boolean =>
  HEAVY.some((name) => target === name || target.startsWith(`${name}/`));
const isFileOf = (folder: string, path: string): boolean => path.startsWith(folder + sep);
/** The position of the folder of a file in `LAYERS`; a file directly in src/ is its own folder. */
const layerOf = (path: string): number =>
  LAYERS.findIndex((layer) => layer.includes(path.includes(sep) ? dirname(path) : path));

describe('the parser of this test', () => {
  test('finds every import that src/ writes', () => {
    const written = all.flatMap(({ path, code }) =>
      [...code.matchAll(/(?:\bfrom|^import)\s+'([^']+)'/gm)].map(([, target]) => [path, target]),
    );
    const read = all.reduce((sum, { imports }) => sum + imports.length, 0);
    expect(read).toBe(written.length);
    expect(read).toBeGreaterThan(100);
  });

  test('resolves every imported file', () => {
    const isUnknown = (_: string, to: string): boolean => to.endsWith('.ts') && !sources.has(to);
    expect(listImports(isUnknown)).toEqual([]);
  });
});

describe('layers', () => {
  test('every folder has one, and every one named exists', () => {
    expect([...sources.keys()].filter((path) => layerOf(path) === -1)).toEqual([]);
    const isThere = (folder: string): boolean =>
      [...sources.keys()].some((path) => path === folder || isFileOf(folder, path));
    expect(LAYERS.flat().filter((folder) => !isThere(folder))).toEqual([]);
  });

  test('a folder imports from itself and from folders of layers below its own', () => {
    const isUpwards = (from: string, to: string): boolean =>
      sources.has(to) && dirname(from) !== dirname(to) && layerOf(to) >= layerOf(from);
    expect(listImports(isUpwards)).toEqual([]);
  });

  test('hooks and install do not import each other: they run in different processes', () => {
    const isAcross = (from: string, to: string): boolean =>
      (isFileOf('hooks', from) && isFileOf('install', to)) ||
      (isFileOf('install', from) && isFileOf('hooks', to));
    expect(listImports(isAcross)).toEqual([]);
  });

  test('only the command line imports the command line', () => {
    const isFromOutside = (from: string, to: string): boolean =>
      isFileOf('cli', to) && !isFileOf('cli', from);
    expect(listImports(isFromOutside)).toEqual([]);
  });

  test('there are no import cycles, types included', () => {
    const circles: string[] = [];
    const visit = (path: string, way: string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' > '));
      else if (!visited.has(path)) {
        for (const { target } of sources.get(path)?.imports ?? []) visit(target, [...way, path]);
        visited.add(path);
      }
    };
    const visited = new Set<string>();
    for (const path of sources.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });
});

describe('purity', () => {
  const pure = all.filter(({ path }) => isPure(path));

  test('a pure file uses no file, process, thread or clock', () => {
    const impure = pure.flatMap(({ path, code, imports }) => [
      ...imports.filter(({ target }) => IMPURE_MODULES.includes(target)).map(() => path),
      ...(IMPURE_WORDS.test(code) ? [path] : []),
    ]);
    expect(impure).toEqual([]);
    expect(pure.length).toBeGreaterThan(10);
  });

  test('only base/environment.ts reads the environment', () => {
    const isReader = ({ code }: Source): boolean =>
      /\bprocess\s*\??\.\s*env\b|\benv\b[^;]*from 'node:process'|process\[/.test(code);
    expect(all.filter(isReader).map(({ path }) => path)).toEqual(['base/environment.ts']);
  });
});

describe('the preload', () => {
  test('is loader.mjs, which imports loader.js and nothing else', () => {
    const text = readFileSync(join(repositoryRoot, 'loader.mjs'), 'utf8');
    const targets = [...text.matchAll(/\b(?:import|from)\b\s*\(?\s*'([^']+)'/g)].map(
      ([, to]) => to,
    );
    expect(targets).toEqual(['./dist/loader.js']);
  });

  test('its first stage loads builtins that Node has loaded already, and its own files', () => {
    const reached = [...listReachable('loader.ts').keys()];
    expect(new Set(reached.filter((path) => !sources.has(path)))).toEqual(new Set(LOADED));
    const needed = reached.filter((path) => /^(?:settings|store|status|plan)\//.test(path));
    expect(needed).toEqual([]);
  });

  test('its second stage loads builtins and files of src/, and nothing heavy', () => {
    const reached = listReachable('hooks/activate.ts');
    expect([...reached].filter(([path]) => isHeavy(path))).toEqual([]);
    const foreign = [...reached.keys()].filter(
      (path) => !sources.has(path) && !path.startsWith('node:'),
    );
    expect(foreign).toEqual([]);
    expect(reached.has('resolve/resolve.ts')).toBe(true);
  });

  test.each(['register.ts', 'index.ts'])(
    'no file in the graph of %s calls getBuiltinModule while it is loaded',
    (from) => {
      const eager = [...listReachable(from).keys()].filter((path) =>
        /^(?:export )?const [^\n(]*= process\.getBuiltinModule\(/m.test(
          sources.get(path)?.code ?? '',
        ),
      );
      expect(eager).toEqual([]);
    },
  );

  test('has no top-level await in its graph, so that --require can load it', () => {
    const waiting = [...listReachable('register.ts').keys()].filter((path) =>
      /^(?:await\b|(?:export )?(?:const|let) .*= await\b)/m.test(sources.get(path)?.code ?? ''),
    );
    expect(waiting).toEqual([]);
  });

  test('the programming interface loads nothing heavy either', () => {
    expect([...listReachable('index.ts')].filter(([path]) => isHeavy(path))).toEqual([]);
  });
});

describe('files', () => {
  test.each(all)('$path has at most 250 lines and opens with its purpose', ({ text }) => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(250);
    expect(text.replace(/^#!.*\n/, '')).toMatch(/^\/\*\* [A-Za-z`].*[^ ] \*\/\n/);
  });
});
