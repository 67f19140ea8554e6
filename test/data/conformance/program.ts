/** The form of the programs that must run as without annex. */
import type { Mode, Program } from '../../support/conformance.ts';

/** A program that is started once, in short. */
export interface Case {
  /** What the program shows, as a fact. */
  title: string;
  /** Contents by path, objects as JSON. */
  files?: Program['files'];
  links?: Program['links'];
  /** Arguments of Node; by default the first file. */
  args?: readonly string[];
  input?: string;
  env?: Record<string, string>;
  /** Part of the output of Node alone. */
  shows: string;
  /** The first major version of Node that shows it; all by default. */
  since?: number;
  /** By default `--require` for scripts, `--import` for modules. */
  modes?: readonly Mode[];
}

/** A place in Node's own files: it takes other lines of them as soon as any hook is registered. */
export const OWN_PLACE = /^( *at .*\bnode:internal\/modules\/[\w/]+):\d+:\d+/gm;

/**
 * The lines of Node's own source above an uncaught error: they show where it was thrown last, which for an
 * error that passes through annex is not in a file of Node.
 */
const OWN_EXCERPT = /^node:internal\/.*:\d+\n.*\n +\^\n+/gm;

/** A stack that begins in the hooks thread of Node 20. */
const STACK_OF_HOOKS =
  /(?:^ *(?:at|\.\.\.) .*\n)*^ *at .*\bnode:internal\/(?:modules\/esm\/(?:hooks|worker)|per_context\/messageport)\b.*\n(?:^ *at .*\n?)*/gm;

/** The program of a case. */
export function toProgram(each: Case): Program {
  const { title, files = {}, links = {}, env = {}, input = '', since = 0 } = each;
  const { args = Object.keys(files).slice(0, 1) } = each;
  const isModule = args.at(-1)?.endsWith('.mjs') ?? false;
  return {
    title,
    files,
    links,
    starts: [{ args, env, input, isMerged: title.startsWith('order') }],
    shows: new RegExp(each.shows.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&')),
    modes: each.modes ?? [isModule ? '--import' : '--require'],
    runsOn: ({ major }) => major >= since,
    clean: (text) =>
      text
        .replaceAll(STACK_OF_HOOKS, 'in the hooks thread\n')
        .replaceAll(OWN_PLACE, '$1')
        .replaceAll(OWN_EXCERPT, ''),
  };
}

/** A package with that package.json and one file for each other key. */
const packageAt = (
  path: string,
  manifest: object | string,
  files: Record<string, string | object> = {},
): Record<string, string | object> => ({
  [`${path}/package.json`]: manifest,
  ...Object.fromEntries(
    Object.entries(files).map(([name, content]) => [`${path}/${name}`, content]),
  ),
});

/** A package in the program's own node_modules. */
export const dependency = (
  name: string,
  manifest: object | string,
  files: Record<string, string | object> = {},
): Record<string, string | object> => packageAt(`node_modules/${name}`, manifest, files);

/** Reports in one line each expression's value, or all of its error. */
export const asking = (expressions: readonly string[]): string =>
  expressions.map((text) => `await tell(${JSON.stringify(text)}, () => ${text});\n`).join('');

/** An ES module that reports expressions. */
export const askingModule = (...expressions: readonly string[]): string =>
  `import { createRequire } from 'node:module';
import { tell } from 'tell';
const require = createRequire(import.meta.url);
${asking(expressions)}`;

/** A CommonJS module that reports expressions. */
export const askingScript = (...expressions: readonly string[]): string =>
  `const { tell } = require('tell');
(async () => {
${asking(expressions)}})();`;

/** A module and a script that ask for each specifier in every way. */
export const askBoth = (...specifiers: readonly string[]): Record<string, string> => ({
  'main.mjs': askingModule(
    ...specifiers.flatMap((name) => [
      `import('${name}')`,
      `require('${name}')`,
      `import.meta.resolve('${name}')`,
    ]),
    `import('./other.cjs')`,
  ),
  'other.cjs': askingScript(
    ...specifiers.flatMap((name) => [
      `require('${name}')`,
      `require.resolve('${name}')`,
      `import('${name}')`,
    ]),
  ),
});

/** A module that exports a text. */
export const esm = (what: string): string => `export default '${what}';`;

/** A script that exports a text. */
export const cjs = (what: string): string => `module.exports = '${what}';`;

/** Files of a package, one for each condition. */
export const BUILDS: Record<string, string> = {
  'import.mjs': esm('the import build'),
  'require.cjs': cjs('the require build'),
  'custom.cjs': cjs('the custom build'),
  'default.cjs': cjs('the default build'),
};

/** The package `tell` of the application: prints the value of a function, or all of its error. */
export const TELL = `const { inspect } = require('node:util');
const describe = (error) => {
  if (!(error instanceof Error)) return inspect(error);
  const own = Object.entries(Object.getOwnPropertyDescriptors(error)).map(([key, { value, enumerable }]) =>
    key === 'stack' ? '' : [key, enumerable, inspect(value)].join(' '));
  return [error.constructor.name, ...own.filter(Boolean), error.stack].join('\\n  ');
};
const show = (value) => inspect(value, { depth: 4 });
exports.tell = (label, run) => {
  const print = (text) => console.log(label + ': ' + text);
  try {
    const value = run();
    if (typeof value?.then !== 'function') return print(show(value));
    return value.then((it) => print(show(it)), (error) => print('rejected ' + describe(error)));
  } catch (error) {
    return print('thrown ' + describe(error));
  }
};
`;
