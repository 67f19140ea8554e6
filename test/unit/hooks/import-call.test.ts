/** Only calls of import() can wait: the calls that led to the hook tell them from every other request. */
import { expect, test } from 'vitest';
import { isFromImportCall } from '../../../src/hooks/import-call.ts';

/** `function script`, the innermost call first, as Node 24.21 gives them. */
const parse = (calls: string[]) =>
  calls.map((call) => {
    const [functionName = '', scriptName = ''] = call.split(' ');
    return { functionName, scriptName };
  });

const loader = 'node:internal/modules/esm/loader';
const hooks = [
  'resolve file:///app/node_modules/annex/dist/hooks.cjs',
  'nextStep node:internal/modules/customization_hooks',
  'resolveWithHooks node:internal/modules/customization_hooks',
  `resolveSync ${loader}`,
];
const dynamic = [
  `getOrCreateModuleJob ${loader}`,
  'tracePromise node:diagnostics_channel',
  `import ${loader}`,
  'defaultImportModuleDynamicallyForModule node:internal/modules/esm/utils',
  'importModuleDynamicallyCallback node:internal/modules/esm/utils',
  'load file:///app/main.mjs',
];
const link = [
  'syncLink node:internal/modules/esm/module_job',
  'link node:internal/modules/esm/module_job',
];

test.each([
  ['import() of a module', [...hooks, ...dynamic], true],
  [
    'import() through a hook of another tool',
    ['tool file:///tool.mjs', ...hooks, ...dynamic],
    true,
  ],
  ['import() under a caller that was loaded by the linker', [...hooks, ...dynamic, ...link], true],
  ['a static import of an imported file', [...hooks, ...link, ...dynamic], false],
  ['a static import of the entry script', [...hooks, ...link], false],
  ['import.meta.resolve', [...hooks, `resolve ${loader}`], false],
  [
    'import.meta.resolve in a hook that serves import()',
    [...hooks, `resolve ${loader}`, 'tool file:///tool.mjs', ...hooks, ...dynamic],
    false,
  ],
  [
    'a function of that name in the program',
    [...hooks, 'importModuleDynamicallyCallback file:///app/main.mjs'],
    false,
  ],
  ['calls of a later version', [...hooks, 'link node:internal/modules/new', ...dynamic], false],
])('%s', (_, calls, isCall) => {
  expect(isFromImportCall(parse(calls))).toBe(isCall);
});
