/** Finds the requests of packages in the text of a source file: every form of import and require. */
import type { ImportSpecifier } from 'es-module-lexer';
import { blankJsx } from './jsx.ts';

/** How a source requests a package. */
export type RequestKind = 'import' | 'import()' | (typeof CALLS)[number];

/** A request in a source. */
export interface SourceRequest {
  kind: RequestKind;
  /** Undefined when the program computes it. */
  specifier: string | undefined;
  /** Of the statement or the call, from 1. */
  line: number;
}

/**
 * Reads the requests of a text.
 *
 * @param extension of the file: `.ts` may contain types, `.js` JSX, and `.tsx` both
 * @throws Error for a text that is neither JavaScript nor TypeScript
 */
export type ReadRequests = (text: string, extension: string) => SourceRequest[];

/** Calls besides import() that take a specifier. */
const CALLS = ['require', 'require.resolve', 'import.meta.resolve', 'load'] as const;

/** Neither a part of another name nor of `object.name`. The dots of `...name` are left out: the lexer skips a call after a dot. */
const ALONE = '(?:\\.{3}\\s*|(?<![\\w$#.]))';

/** A call of createRequire. */
const CREATE = '(?:[mM]odule\\s*\\.\\s*)?createRequire\\s*\\((?:[^()]|\\([^()]*\\)){0,200}\\)';

/** A variable with what createRequire returned. */
const CREATED = new RegExp(`([\\w$]+)\\s*=\\s*${CREATE}(?!\\s*[.(])`, 'g');

/** The names that a program takes from annex. */
const FROM_ANNEX = /\{([^{}]*)\}\s*(?:from|=\s*(?:await\s+import|require)\s*\()\s*(["'])annex\2/g;

/** The load() of annex among them, with its own name in the program. */
const LOAD = /(?<![\w$])load(?:(?:\s+as\s+|\s*:\s*)([\w$]+))?(?![\w$])/g;

/** Type arguments of a call, with one pair of parentheses at most, as in `load<typeof import('pg')>`. */
const TYPE_ARGUMENTS = '(?:<[^()]*(?:\\([^()]*\\)[^()]*)?>\\s*)?';

/** The assignment of TypeScript: `import fs = require('fs')`. */
const IMPORT_ASSIGNMENT = /\bimport(?=\s+[\w$]+\s*=)/g;

/**
 * Opens the lexer.
 *
 * @returns undefined where there is no WebAssembly: with --jitless
 * @example (await openReader())?.("require('pg')", '.js') // [{ kind: 'require', specifier: 'pg', line: 1 }]
 */
export async function openReader(): Promise<ReadRequests | undefined> {
  const lexer = await import('es-module-lexer').catch(() => undefined);
  await lexer?.init;
  if (lexer === undefined) return undefined;
  const { parse, ImportType } = lexer;
  const { ImportMeta, Static, StaticDeferPhase, StaticSourcePhase } = ImportType;
  const isStatic = ({ t: type }: ImportSpecifier): boolean =>
    [Static, StaticDeferPhase, StaticSourcePhase].some((one) => one === type);
  return (source, extension) => {
    const isTypeScript = /^\.[cm]?tsx?$/.test(extension);
    const code = /^\.[cm]?ts$/.test(extension) ? source : blankJsx(source);
    const text = markCalls(isTypeScript ? code.replace(IMPORT_ASSIGNMENT, 'const') : code);
    const lines = createLineCounter(text);
    return parse(text)[0].flatMap((found) => {
      if (found.t === ImportMeta || (isTypeScript && isOfTypes(text, found, isStatic(found)))) {
        return [];
      }
      const kind = isStatic(found) ? 'import' : readKind(text.slice(found.ss));
      return { kind, specifier: found.n, line: lines(found.ss) };
    });
  };
}

/**
 * Writes each call of require as one of import(): the lexer finds those, and knows what is a string, a comment
 * or a regular expression. As many vertical tabs follow as the place of the call in the list says. Lines stay.
 */
function markCalls(text: string): string {
  const created = [...text.matchAll(CREATED)].map(([, name = '']) => escapeName(name));
  const names = ['(?:module\\s*\\.\\s*)?require', CREATE, ...new Set(created)].join('|');
  const loads = [...text.matchAll(FROM_ANNEX)]
    .flatMap(([, list = '']) => [...list.matchAll(LOAD)])
    .map(([, name = 'load']) => escapeName(name));
  const calls = [
    new RegExp(`${ALONE}(?:${names})(?=\\s*\\()`, 'g'),
    new RegExp(`${ALONE}(?:${names})\\s*\\.\\s*resolve(?=\\s*\\()`, 'g'),
    /\bimport\s*\.\s*meta\s*\.\s*resolve(?=\s*\()/g,
    ...(loads.length === 0
      ? []
      : [new RegExp(`${ALONE}(?:${loads.join('|')})\\s*${TYPE_ARGUMENTS}(?=\\()`, 'g')]),
  ];
  return calls.reduce(
    (marked, call, at) =>
      marked.replace(
        call,
        (whole) => `import${'\v'.repeat(at + 1)}${whole.replace(/[^\n]+/g, '')}`,
      ),
    text,
  );
}

const escapeName = (name: string): string => name.replaceAll('$', '\\$');

/** The kind of the call at the start of a text. */
function readKind(text: string): RequestKind {
  const marks = /^import(\v*)/.exec(text)?.[1]?.length ?? 0;
  return CALLS[marks - 1] ?? 'import()';
}

/** Whether an import of TypeScript is erased: `import type`, and import() in a type. */
function isOfTypes(
  text: string,
  { s: start, ss, se }: ImportSpecifier,
  isStatic: boolean,
): boolean {
  if (isStatic) return /^(?:import|export)\s+type\s+(?!from\b)/.test(text.slice(ss, start));
  if (readKind(text.slice(ss)) !== 'import()') return false;
  const isOperand = /\btypeof\s+$/.test(text.slice(Math.max(0, ss - 20), ss));
  return isOperand || /^\s*\.\s*(?!then\b|catch\b|finally\b)[\w$]/.test(text.slice(se, se + 80));
}

/** Counts lines up to a position. Positions come in order. */
function createLineCounter(text: string): (position: number) => number {
  let line = 1;
  let done = 0;
  return (position) => {
    for (let at = text.indexOf('\n', done); at !== -1 && at < position; ) {
      line += 1;
      done = at + 1;
      at = text.indexOf('\n', done);
    }
    return line;
  };
}
