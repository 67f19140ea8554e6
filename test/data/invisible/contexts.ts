/** Programs that run code in other contexts: node:vm, eval, TypeScript, the REPL and standard input. */
import { hasSyncHooks, type Program } from '../../support/conformance.ts';

export const programs: readonly Program[] = [
  {
    title: 'import in vm.Script, vm.compileFunction, eval and new Function',
    files: {
      'main.cjs': `
const vm = require('node:vm');
const { USE_MAIN_CONTEXT_DEFAULT_LOADER } = vm.constants ?? {};
const text = "import('./part.mjs')";
const settle = async (name, run) => {
  try { console.log(name, await run()); } catch ({ code, message }) { console.log(name, code, message); }
};
(async () => {
  await settle('script', () => new vm.Script(text).runInThisContext());
  await settle('filename', () => new vm.Script(text, { filename: __filename }).runInThisContext());
  await settle('default', () => new vm.Script(text, { filename: __filename, importModuleDynamically: USE_MAIN_CONTEXT_DEFAULT_LOADER }).runInThisContext());
  await settle('function', () => new vm.Script(text, { importModuleDynamically: (...args) => { console.log(args.length, args[0], args[2]); return import(args[0]); } }).runInThisContext());
  await settle('context', () => vm.runInNewContext(text + '; new Error().stack', {}, { importModuleDynamically: () => import('./part.mjs') }));
  await settle('compileFunction', () => vm.compileFunction('return ' + text, [], { filename: __filename, importModuleDynamically: USE_MAIN_CONTEXT_DEFAULT_LOADER })());
  await settle('compileFunction without', () => vm.compileFunction('return ' + text)());
  await settle('eval', () => eval(text));
  await settle('indirect eval', () => (0, eval)(text));
  await settle('new Function', () => new Function('return ' + text)());
  await settle('absent', () => eval("import('absent')"));
  await settle('timer', () => new Promise((resolve, reject) => setTimeout(() => import('absent').then(resolve, reject), 1)));
})();`,
      'part.mjs': `export const url = import.meta.url;`,
    },
    starts: [{ args: ['--no-warnings', 'main.cjs'] }],
    runsOn: hasSyncHooks,
    shows: /ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING/,
  },
  {
    title: 'modules of node:vm',
    files: {
      'main.mjs': `
import vm from 'node:vm';
const context = vm.createContext({ console });
const link = async (specifier, module) => { console.log('link', specifier, module.identifier); return new vm.SyntheticModule(['default'], function () { this.setExport('default', specifier); }, { context }); };
const module = new vm.SourceTextModule("import a from 'absent'; console.log(a, import.meta.own); export const later = import('ws').then(({ default: b }) => console.log(b));", {
  context, initializeImportMeta: (meta) => { meta.own = 1; },
  importModuleDynamically: async (specifier, referrer) => { const one = await link(specifier, referrer); await one.link(() => {}); await one.evaluate(); return one; },
});
await module.link(link); await module.evaluate(); await module.namespace.later;
console.log(module.status, module.identifier);`,
    },
    starts: [{ args: ['--no-warnings', '--experimental-vm-modules', 'main.mjs'] }],
    shows: /evaluated/,
  },
  {
    title: 'TypeScript whose types Node strips',
    files: {
      'main.ts': `import { part, type Part } from './part.cts';\nconst value: Part = part;\nconsole.log(value, new Error('here').stack, import.meta.url);\nconst later = await import('./later.mts');\nconsole.log(later.default);\nenum Wrong { A }`,
      'good.ts': `import { part, type Part } from './part.cts';\nconst value: Part = part;\nconsole.log(value, new Error('here').stack, import.meta.url);\nconsole.log((await import('./later.mts')).default);`,
      'package.json': '{ "type": "module" }',
      'part.cts': `export type Part = number;\nconst part: number = 1;\nmodule.exports = { part };`,
      'later.mts': `const a: string = 'later'; export default a as string;`,
    },
    starts: [{ args: ['good.ts'] }, { args: ['main.ts'] }],
    shows: /later/,
    runsOn: ({ major, minor }) => major > 22 || (major === 22 && minor >= 18),
  },
  {
    title: 'the REPL, --print, --check and standard input as a program',
    files: { 'wrong.cjs': 'this is wrong' },
    starts: [
      {
        args: ['--interactive'],
        input: `const fs = require('fs'); typeof fs.readFileSync\nawait import('node:os').then(() => 1)\ntry { require('absent') } catch ({ message }) { message }\nmodule.paths.length\nObject.keys(require.cache)\nthrow new Error('thrown')\nmodule\n`,
      },
      { args: ['--print', 'module.paths.length + new Error().stack + Object.keys(require.cache)'] },
      { args: ['--check', 'wrong.cjs'] },
      {
        args: ['-'],
        input:
          'console.log(module.id, __filename, require.main === module, process.argv, new Error().stack)',
      },
      {
        args: ['--input-type=module', '-'],
        input: `import fs from 'node:fs'; console.log(typeof fs, import.meta.url, new Error().stack);`,
      },
    ],
    runsOn: hasSyncHooks,
    shows: /function/,
    modes: ['--import', '--require'],
  },
];
