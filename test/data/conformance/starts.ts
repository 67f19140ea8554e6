/** Programs that are started otherwise than as a file: command line, standard input, REPL, workers, forks, vm. */
import { MODES } from '../../support/conformance.ts';
import { askingModule, askingScript, type Case, dependency } from './program.ts';

const SPECIFIERS = [
  'inner',
  'inner/sub.js',
  'inner/absent.js',
  'closed/x',
  'modern',
  'no-such-package',
  './x.cjs',
  './absent.cjs',
  './x.mjs',
  'node:fs',
  'node:absent',
  '#x',
  '@',
  './dir',
  '.',
  'broken',
  'https://example.org/x',
];
const REQUESTS = SPECIFIERS.flatMap((name) => [
  `require('${name}')`.replace("node:fs')", `node:fs').sep`),
  `import('${name}')`.replace(`'node:fs')`, `'node:fs').then(() => 0)`),
  `require.resolve('${name}')`,
]);
const IMPORTS = SPECIFIERS.flatMap((name) => [
  `import('${name}').then(({ default: it }) => it)`.replace(
    '({ default: it }) => it',
    name === 'node:fs' ? '() => 0' : '({ default: it }) => it',
  ),
  `import.meta.resolve('${name}')`,
]);

const FILES = {
  ...dependency(
    'inner',
    {},
    { 'index.js': `module.exports = 'inner';`, 'sub.js': `module.exports = 'sub';` },
  ),
  ...dependency('closed', { exports: {} }),
  ...dependency(
    'modern',
    { type: 'module', exports: './index.js' },
    { 'index.js': `export default 'modern';` },
  ),
  ...dependency('broken', '{'),
  'x.cjs': `module.exports = 'x';`,
  'x.mjs': `export default 'x';`,
  'dir/index.js': `module.exports = 'dir';`,
};
const SCRIPT = askingScript(...REQUESTS);
const MODULE = askingModule(...IMPORTS);
const AS_MODULE = '--input-type=module';
const WORKER = (how: string) =>
  `const { Worker } = require('node:worker_threads'); const fs = require('node:fs'); const worker = new Worker(${how}); worker.on('error', (error) => console.log('error', error.code, error.stack)); worker.on('exit', (code) => console.log('exit', code));`;

const start = (title: string, args: string[], shows: string, more: Partial<Case> = {}): Case => ({
  title,
  args,
  shows,
  ...more,
  files: { ...FILES, ...more.files },
});

export const startPrograms: Case[] = [
  start('--eval: a script', ['--eval', SCRIPT], 'no-such-package', { modes: MODES }),
  start('--eval: a module', [AS_MODULE, '--eval', MODULE], 'no-such-package'),
  start(
    '--eval: a script that fails',
    ['--eval', `require('no-such-package')`],
    'MODULE_NOT_FOUND',
    { modes: ['--import'] },
  ),
  start(
    '--eval: a module that fails',
    [AS_MODULE, '--eval', `import 'no-such-package'`],
    'ERR_MODULE_NOT_FOUND',
  ),
  start(
    '--eval: a module that Node detects',
    ['--eval', `import inner from 'inner'; console.log(inner, import.meta.url)`],
    'eval',
  ),
  start(
    '--eval: arguments and names',
    [
      '--eval',
      `console.log(process.argv.slice(1), module.id, module.filename, module.paths.length, __filename, require.main)`,
      'first',
      '--second',
    ],
    'first',
  ),
  start('--eval: of nothing', ['--eval', ''], ''),
  start('--print: a value', ['--print', `[require('inner'), module.id]`], "'inner'", {
    modes: MODES,
  }),
  start(
    '--print: an import()',
    ['--print', `import('inner').then((it) => console.log(it.default))`],
    'Promise',
  ),
  start('--print: an error', ['--print', `require('no-such-package')`], 'MODULE_NOT_FOUND', {
    modes: ['--import'],
  }),
  start(
    '--print: a module cannot be printed',
    [AS_MODULE, '--print', `1`],
    'ERR_EVAL_ESM_CANNOT_PRINT',
  ),
  start('--check: a script, and a syntax error', ['--check', 'bad.cjs'], 'SyntaxError', {
    files: { 'bad.cjs': 'const = 1;' },
  }),
  start('--check: a module', ['--check', 'bad.mjs'], 'SyntaxError', {
    files: { 'bad.mjs': 'import from;' },
  }),
  start('standard input: a script', [], 'no-such-package', { input: SCRIPT, modes: MODES }),
  start('standard input: a module', [AS_MODULE, '-'], 'no-such-package', { input: MODULE }),
  start('standard input: a script that fails', ['-', 'argument'], 'MODULE_NOT_FOUND', {
    input: `console.log(process.argv.slice(1)); require('no-such-package')`,
    modes: ['--import'],
  }),
  start('standard input: a module that fails', [AS_MODULE], 'ERR_MODULE_NOT_FOUND', {
    input: `import 'no-such-package'`,
  }),
  start('the REPL: requires that fail', ['--interactive'], 'REPL2:1:', {
    modes: MODES,
    env: { NODE_REPL_HISTORY: '', NO_COLOR: '1' },
    files: {
      'far.cjs': `function ask() { return require('no-such-package'); }\nask();`,
      'wraps.cjs': `try { require('./far.cjs'); } catch (cause) { throw new Error('wrapped', { cause }); }`,
    },
    input: `require('no-such-package')\nfunction ask() { require('./absent.cjs') }\nask()\nrequire('./far.cjs')\nrequire('./wraps.cjs')\ntry { require('./far.cjs') } catch (error) { console.log(error.stack) }\nError.stackTraceLimit = 3\nrequire('./far.cjs')\nError.prepareStackTrace = (error, calls) => 'own: ' + calls.length\nrequire('./far.cjs')\n.exit\n`,
  }),
  start('the REPL: requests, and an import that fails', ['--interactive'], 'MODULE_NOT_FOUND', {
    modes: MODES,
    env: { NODE_REPL_HISTORY: '', NO_COLOR: '1' },
    input: `require('inner')\nrequire('./x.cjs')\nrequire.resolve('inner').split('/').pop()\nawait import('no-such-package')\n(await import('inner')).default\nimport x from 'inner'\nmodule.paths.length\nmodule.id\nmodule.filename\nrequire.main\nfs.sep\n.exit\n`,
  }),
  start('a worker: a file', ['main.cjs'], 'exit 0', {
    modes: MODES,
    files: { 'main.cjs': WORKER(`__dirname + '/script.cjs'`), 'script.cjs': SCRIPT },
  }),
  start('a worker: a module by URL', ['main.cjs'], 'exit 0', {
    files: {
      'main.cjs': WORKER(`require('node:url').pathToFileURL(__dirname + '/module.mjs')`),
      'module.mjs': MODULE,
    },
  }),
  start('a worker: a text', ['main.cjs'], 'exit 0', {
    modes: MODES,
    files: {
      'main.cjs': WORKER(`fs.readFileSync(__dirname + '/script.cjs', 'utf8'), { eval: true }`),
      'script.cjs': SCRIPT,
    },
  }),
  start('a worker: a data: URL', ['main.cjs'], 'exit', {
    files: {
      'main.cjs': WORKER(
        `new URL('data:text/javascript,import "node:fs"; import "no-such-package"')`,
      ),
    },
  }),
  start('a worker: a file that is missing, and a module that fails', ['main.cjs'], 'exit 1', {
    files: {
      'main.cjs': `${WORKER(`__dirname + '/absent.cjs'`)} worker.on('exit', () => { ${WORKER(`__dirname + '/failing.mjs'`)} });`,
      'failing.mjs': `import 'no-such-package';`,
    },
  }),
  start('a worker: without the environment and without flags', ['main.cjs'], 'exit 0', {
    files: {
      'main.cjs': WORKER(`__dirname + '/script.cjs', { env: {}, execArgv: [] }`),
      'script.cjs': SCRIPT,
    },
  }),
  start('a worker in a worker', ['main.cjs'], 'exit 0', {
    files: {
      'main.cjs': WORKER(`__dirname + '/between.cjs'`),
      'between.cjs': WORKER(`__dirname + '/script.cjs'`),
      'script.cjs': askingScript(
        `require('inner')`,
        `import('inner')`,
        `require('no-such-package')`,
        `import('no-such-package')`,
      ),
    },
  }),
  start('a fork: of a script and of a module', ['main.cjs'], 'ERR_MODULE_NOT_FOUND', {
    files: {
      'main.cjs': `const { fork } = require('node:child_process'); fork(__dirname + '/script.cjs').on('exit', (code, signal) => { console.log('exit', code, signal); fork(__dirname + '/failing.mjs').on('exit', (code) => console.log('exit', code)); });`,
      'script.cjs': askingScript(`require('inner')`, `import('no-such-package')`),
      'failing.mjs': `import 'no-such-package';`,
    },
  }),
  start('vm: scripts with and without import()', ['main.mjs'], 'inner', {
    files: {
      'main.mjs': `import vm from 'node:vm';\n${askingModule(`vm.runInThisContext('import("inner")')`, `vm.runInThisContext('import("inner")', { importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }).then((it) => it.default)`, `new vm.Script('import("./x.mjs")', { filename: import.meta.filename, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }).runInThisContext().then((it) => it.default)`, `new vm.Script('import("no-such-package")', { filename: import.meta.filename, importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }).runInNewContext()`, `vm.compileFunction('return import("inner")')()`, `new Function('return import("inner")')().then((it) => it.default)`, `eval('import("inner")').then((it) => it.default)`, `(0, eval)('import("./x.mjs")').then((it) => it.default)`, `new Function('return import("no-such-package")')()`)}`,
    },
  }),
  start(
    'a program that is a package, started by the name of its directory',
    ['dir'],
    "module.id: '.'",
    {
      files: {
        'dir/index.js': askingScript(`require('inner')`, `module.id`),
        'dir/package.json': {},
      },
    },
  ),
  start('a program in node_modules', ['node_modules/tool/cli.js'], 'tool', {
    modes: MODES,
    files: {
      'node_modules/tool/cli.js': `#!/usr/bin/env node\n${SCRIPT}\nconsole.log('tool', require.main === module, process.argv.length);`,
    },
  }),
  start('a program without its extension', ['main'], 'it ran', {
    files: { 'main.js': `console.log('it ran');` },
  }),
  start('a program that ends by a signal', ['main.mjs'], '', {
    files: {
      'main.mjs': `await import('inner'); process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1e6);`,
    },
  }),
  start('a program that exits while it imports', ['main.mjs'], 'exit 7', {
    files: {
      'main.mjs': `process.on('exit', (code) => console.log('exit', code)); import('inner').then(() => console.log('never')); import('no-such-package').catch(() => {}); process.exit(7);`,
    },
  }),
  start('a program that runs out of stack while it requires', ['main.cjs'], 'RangeError', {
    files: {
      'main.cjs': `let caught; const deep = () => { try { deep(); } catch (error) { if (!caught) { caught = error; } throw error; } }; try { deep(); } catch {} console.log(caught.name); console.log(require('inner'));`,
    },
  }),
];
