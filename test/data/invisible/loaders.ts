/** Programs under loaders and tools of other packages, preloaded before annex or after it. */
import type { Mode, Program } from '../../support/conformance.ts';

/** The packages that the programs use. */
export const LOADERS: readonly string[] = [
  'tsx@~4.23.0',
  'jiti@~2.7.0',
  'ts-node@~10.9.2',
  'typescript@~5.9.0',
  '@swc-node/register@~1.12.0',
  '@swc/core@~1.16.0',
  'esbuild-register@~3.6.0',
  'esbuild@~0.28.0',
  'import-in-the-middle@~3.6.0',
  'require-in-the-middle@~8.0.0',
  'module-alias@^2.2.0',
  'tsconfig-paths@^4.2.0',
];

/** Prints what a function loads, or why it fails. */
const REPORT = `
const report = async (name, load) => {
  try { console.log(name, (await load()).marker); } catch ({ code, message }) { console.log(name, code, message); }
};`;

const TYPED_REPORT = REPORT.replace('(name, load)', '(name: string, load: () => any)');

const TYPESCRIPT: Record<string, string | object> = {
  'tsconfig.json': {
    compilerOptions: {
      module: 'commonjs',
      target: 'es2022',
      esModuleInterop: true,
      sourceMap: true,
    },
  },
  'package.json': { private: true },
  'main.ts': `
import { readFileSync } from 'node:fs';
import { marker, type Part } from './part';${TYPED_REPORT}
enum Own { First = 'first' }
const value: Part = marker;
(async () => {
  console.log(value, Own.First, typeof readFileSync, require.main === module, Object.keys(require.extensions), module.children.length);
  await report('required', () => require('./part'));
  await report('imported', () => import('./later.mjs'));
  await report('absent', () => require('absent'));
  await report('absent import', () => import('absent'));
  await report('json', () => require('./data.json'));
  require('./thrown');
})();`,
  'part.ts': `export type Part = string;\nexport const marker: Part = 'part';\n`,
  'later.mjs': `export const marker = 'later';\n`,
  'thrown.ts': `type Own = string;\n\ninterface Other { own: Own }\nconst fail = (): never => { throw new Error('thrown'); };\nfail();\n`,
  'data.json': '{ "marker": "data" }',
};

const MODULES: Record<string, string | object> = {
  ...TYPESCRIPT,
  'tsconfig.json': {
    compilerOptions: {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      target: 'es2022',
      sourceMap: true,
    },
  },
  'package.json': { private: true, type: 'module' },
  'main.ts': `
import { createRequire } from 'node:module';
import { marker, type Part } from './part.js';${TYPED_REPORT}
enum Own { First = 'first' }
const value: Part = marker;
const require = createRequire(import.meta.url);
console.log(value, Own.First, import.meta.url, import.meta.resolve('./part.js'));
await report('required', () => require('./old.cjs'));
await report('imported', () => import('./part.js?query'));
await report('absent', () => require('absent'));
await report('absent import', () => import('absent'));
await import('./thrown.js');`,
  'old.cjs': `exports.marker = 'old';`,
};

/** jiti does not transform `import.meta.resolve`. */
const UNRESOLVED = {
  ...MODULES,
  'main.ts': `${MODULES['main.ts']}`.replace(", import.meta.resolve('./part.js')", ''),
};

/** A loader by one of its flags, before the preload and after it. */
const beside = (
  title: string,
  flags: readonly string[],
  files: Record<string, string | object>,
  { main = 'main.ts', mode = '--import' }: { main?: string; mode?: Mode } = {},
): Program[] => {
  const program = { files, shows: /^absent(?: import)? \w*MODULE_NOT_FOUND /m, modes: [mode] };
  return [
    { ...program, title: `${title} after annex`, starts: [{ args: [...flags, main] }] },
    { ...program, title: `${title} before annex`, starts: [{ before: flags, args: [main] }] },
  ];
};

/** `--import` of any file makes Node load a main file as an ES module, which hooks of \`require\` do not see. */
const required = { mode: '--require' } as const;

const WATCHED: Record<string, string> = {
  'main.mjs': `${REPORT}
// Before this, the list has what the preload loads itself, such as node:path.
globalThis.seen.length = 0;
await report('part', () => import('./part.mjs'));
await report('old', () => import('./part.cjs'));
await report('fs', async () => ({ marker: typeof (await import('node:fs')).readFileSync }));
await report('absent', () => import('absent'));
console.log(globalThis.seen);`,
  'part.mjs': `export const marker = 'part';`,
  'part.cjs': `exports.marker = 'old ' + require('querystring').encode({ a: 1 });`,
  'iitm.mjs': `
import { register } from 'node:module';
import { Hook } from 'import-in-the-middle';
register('import-in-the-middle/hook.mjs', import.meta.url);
globalThis.seen = [];
new Hook((exports, name, base) => { globalThis.seen.push([name, base, Object.keys(exports).length > 0]); if (exports.marker) exports.marker += ' patched'; });`,
  'ritm.cjs': `
const { Hook } = require('require-in-the-middle');
globalThis.seen = [];
new Hook(null, { internals: true }, (exports, name, base) => { globalThis.seen.push([name, base]); return exports; });`,
};

export const programs: readonly Program[] = [
  ...beside('tsx by --import, CommonJS', ['--import', 'tsx'], TYPESCRIPT),
  ...beside('tsx by --import, ES modules', ['--import', 'tsx'], MODULES),
  ...beside('tsx by --require tsx/cjs', ['--require', 'tsx/cjs'], TYPESCRIPT, required),
  ...beside('jiti by --import', ['--import', 'jiti/register'], UNRESOLVED),
  ...beside(
    'ts-node by --require',
    ['--require', 'ts-node/register/transpile-only'],
    TYPESCRIPT,
    required,
  ),
  ...beside(
    'ts-node by --loader',
    ['--no-warnings', '--experimental-loader', 'ts-node/esm/transpile-only'],
    MODULES,
  ),
  ...beside('swc-node by --require', ['--require', '@swc-node/register'], TYPESCRIPT, required),
  ...beside('swc-node by --import', ['--import', '@swc-node/register/esm-register'], MODULES),
  ...beside(
    'esbuild-register by --require',
    ['--require', 'esbuild-register'],
    TYPESCRIPT,
    required,
  ),
  ...beside('import-in-the-middle', ['--no-warnings', '--import', './iitm.mjs'], WATCHED, {
    main: 'main.mjs',
  }),
  ...beside('require-in-the-middle', ['--require', './ritm.cjs'], WATCHED, { main: 'main.mjs' }),
  {
    title: 'jiti as a library',
    files: {
      ...MODULES,
      'main.mjs': `${REPORT}
import { createJiti } from 'jiti';
const jiti = createJiti(import.meta.url, { fsCache: false });
for (const name of ['./part.ts', './old.cjs', './thrown.ts', 'absent', './absent']) await report(name, () => jiti.import(name));
console.log(jiti.esmResolve('./part.ts'), jiti('./part').marker);`,
    },
    starts: [{ args: ['main.mjs'] }],
    shows: /part\.ts part$/m,
  },
  {
    title: 'module-alias and tsconfig-paths, which replace functions of Module',
    files: {
      'tsconfig.json': { compilerOptions: { baseUrl: '.', paths: { '@own/*': ['lib/*'] } } },
      'main.cjs': `${REPORT}
require('module-alias').addAlias('own', __dirname + '/lib');
const { register } = require('tsconfig-paths');
register({ baseUrl: __dirname, paths: { '@own/*': ['lib/*'] } });
(async () => { for (const name of ['own/part', '@own/part', './lib/part', 'absent', 'own/absent']) await report(name, () => require(name)); })();`,
      'lib/part.js': `exports.marker = 'part';`,
    },
    starts: [{ args: ['main.cjs'] }],
    shows: /^own\/part part\n@own\/part part/m,
    modes: ['--import', '--require'],
  },
];
