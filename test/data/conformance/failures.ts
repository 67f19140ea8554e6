/** Requests that fail, one for each error code of resolution. */
import { dependency } from './program.ts';

/** Packages and files that fail, for all programs here. */
export const FAILING = {
  'there.mjs': `export default 'there';`,
  'importing.mjs': `import 'no-such-package';`,
  'dir/index.js': '',
  'x.unknown': '',
  'a%2fb.mjs': '',
  'broken-syntax.mjs': `export const = 1;`,
  'broken-syntax.cjs': `const = 1;`,
  'throwing.cjs': `throw new Error('thrown by a module');`,
  ...dependency('closed', { exports: { './open': './open.js' } }, { 'open.js': '' }),
  ...dependency(
    'pointless',
    { exports: { '.': 'pointless.js', './missing': './missing.js', './dir': './dir' } },
    { 'dir/x.js': '' },
  ),
  ...dependency('broken', '{', { 'index.js': '' }),
  ...dependency('confused', { exports: { '.': './x.js', import: './x.js' } }),
  ...dependency('deep', { main: './missing-main.js' }),
  ...dependency(
    'asking',
    {},
    {
      'index.js': `require('no-such-package');`,
      'lib/far.js': `require('../index.js');`,
      'import.mjs': `import 'no-such-package';`,
    },
  ),
};

/** A specifier, the code of import's error, and whether require can be asked too. */
export const FAILURES: [specifier: string, what: string, shows: string, required?: string][] = [
  ['no-such-package', 'a package that is missing', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'],
  [
    '@no/such/package.js',
    'a scoped package that is missing',
    'ERR_MODULE_NOT_FOUND',
    'MODULE_NOT_FOUND',
  ],
  ['./missing.mjs', 'a file that is missing', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'],
  ['./there', 'a file without its extension', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'],
  [
    'closed',
    'a package that does not export itself',
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  ],
  [
    'closed/hidden.js',
    'a subpath that is not exported',
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  ],
  ['pointless', 'an invalid target', 'ERR_INVALID_PACKAGE_TARGET', 'ERR_INVALID_PACKAGE_TARGET'],
  [
    'pointless/missing',
    'an exported file that is missing',
    'ERR_MODULE_NOT_FOUND',
    'MODULE_NOT_FOUND',
  ],
  ['pointless/dir', 'an exported directory', 'ERR_UNSUPPORTED_DIR_IMPORT', 'MODULE_NOT_FOUND'],
  ['broken', 'a broken package.json', 'package.json', 'package.json'],
  ['confused', 'exports of both kinds', 'ERR_INVALID_PACKAGE_CONFIG', 'ERR_INVALID_PACKAGE_CONFIG'],
  ['deep', 'a missing main file', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'],
  [
    '#undefined',
    'an internal name that is not defined',
    'ERR_PACKAGE_IMPORT_NOT_DEFINED',
    'MODULE_NOT_FOUND',
  ],
  ['@', 'a name that no package can have', 'ERR_INVALID_MODULE_SPECIFIER', 'MODULE_NOT_FOUND'],
  ['./a%2fb.mjs', 'an encoded slash', 'ERR_INVALID_MODULE_SPECIFIER'],
  ['./dir', 'a directory', 'ERR_UNSUPPORTED_DIR_IMPORT'],
  ['./x.unknown', 'an unknown extension', 'ERR_UNKNOWN_FILE_EXTENSION'],
  ['asking', 'a package that requires a missing one', 'MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'],
  [
    'asking/lib/far.js',
    'a package that requires a missing one, further away',
    'MODULE_NOT_FOUND',
    'asking/lib/far.js',
  ],
  [
    'asking/import.mjs',
    'a package that imports a missing one',
    'ERR_MODULE_NOT_FOUND',
    'no-such-package',
  ],
  ['./broken-syntax.mjs', 'a syntax error of a module', 'SyntaxError'],
  ['./broken-syntax.cjs', 'a syntax error of a script', 'SyntaxError', 'SyntaxError'],
  ['./throwing.cjs', 'a script that throws', 'thrown by a module', 'thrown by a module'],
];
