/** The vocabulary of random entries. */

/** Paths of files in a package; many are alternatives for one request. */
export const FILES = [
  'index.js',
  'index.json',
  'index.mjs',
  'main.js',
  'main.cjs',
  'plain',
  'x.js',
  'x.json',
  'x',
  'data.json',
  'lib.js',
  'lib.json',
  'lib/index.js',
  'lib/index.json',
  'lib/x.js',
  'lib/x.json',
  'lib/x',
  'lib/y.mjs',
  'lib/y.cjs',
  'lib/sub/index.js',
  'lib/sub/z.js',
  'esm/index.js',
  'esm/x.js',
] as const;

/** Relative specifiers of modules; many have several candidates, and some none. */
export const RELATIVE = [
  './x',
  './x.js',
  './x.json',
  './x/',
  './lib',
  './lib/',
  './lib/index.js',
  './lib/x',
  './lib/x.js',
  './lib/y.mjs',
  './lib/y.cjs',
  './lib/sub',
  './lib/sub/z',
  './sub',
  './z',
  './y.cjs',
  './main',
  './main.js',
  './index',
  './plain',
  './data',
  './data.json',
  './esm/index.js',
  './esm/x.js',
  './gone',
  './gone.js',
  '.',
  './',
  '..',
  '../',
  '../x',
  '../x.js',
  '../lib',
  '../main.js',
  './LIB/x.js',
  './Index.js',
  './l%69b/x.js',
  './lib/x.js?query',
  './lib/../x.js',
];

/** Packages that entries can contain, and one that none contains. */
export const NAMES = ['a', 'b', '@s/c', 'gone'];

/** What follows the name of a package. */
export const SUBPATHS = [
  '',
  '/',
  '/x',
  '/x.js',
  '/lib',
  '/lib/x',
  '/lib/x.js',
  '/data.json',
  '/package.json',
  '/index.js',
  '/main',
  '/gone',
];

/** Specifiers of the `imports` of a package. */
export const INTERNAL = ['#x', '#dep', '#gone', '#lib/x.js'];
