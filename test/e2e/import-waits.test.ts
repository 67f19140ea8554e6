/** import() of a feature that is not installed: the program goes on while it is installed, and gets what plain Node gives. */
import { beforeEach, describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { splitLines } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type RunOptions, type Sandbox } from '../support/sandbox.ts';
import { answerAfterTick, TICK } from '../support/ticks.ts';

let registry: Registry;
let sandbox: Sandbox;
beforeEach(async () => {
  registry = await startRegistry([
    esmPackage('alpha', '1.0.0', 'alpha'),
    esmPackage('beta', '1.0.0', 'beta'),
  ]);
  sandbox = await createSandbox({ registry });
  sandbox.setCore({ features: { alpha: '^1.0.0', beta: '^1.0.0' } });
});

/** Runs app/main.mjs with the preload; returns what it prints. */
async function run(text: string, options: RunOptions) {
  sandbox.write('app/main.mjs', text);
  const args = ['--import', sandbox.loader, 'main.mjs'];
  const env = { ANNEX_STORE: sandbox.store, ...options.env };
  const { stdout, stderr, code } = await sandbox.run(args, { ...options, env });
  if (code !== 0) throw new Error(stderr);
  return { data: JSON.parse(stdout), lines: splitLines(stderr) };
}

/** Files that export or are `load`, a function that imports alpha. */
const forms: Record<string, { file: string; text: string; from?: number }> = {
  'a literal': { file: 'load.mjs', text: "export const load = () => import('alpha');" },
  'a template': { file: 'load.mjs', text: 'export const load = () => import(`alpha`);' },
  'a computed name': {
    file: 'load.mjs',
    text: "export const load = (name = 'alpha') => import(name);",
  },
  'CommonJS': { file: 'load.cjs', text: "exports.load = () => import('alpha');" },
  'eval': { file: 'load.cjs', text: "exports.load = () => eval('import(\"alpha\")');" },
  'new Function': {
    file: 'load.mjs',
    text: "export const load = new Function('return import(\"alpha\")');",
  },
  'TypeScript': {
    file: 'load.mts',
    text: "export const load = (name: string = 'alpha'): Promise<object> => import(name);",
    from: 23,
  },
};

describe.each(nodes)('$label', (node) => {
  const options = { node: node.path };
  const possible = Object.entries(forms).filter(([, { from = 0 }]) => node.major >= from);

  test.each(possible)('G7: import() in the form of %s does not block', async (_, { file, text }) => {
    sandbox.write(`app/${file}`, text);
    const ticked = answerAfterTick(registry);
    const { data } = await run(
      `${TICK}
       const { load } = await import('./${file}');
       const first = await load();
       console.log(JSON.stringify([first.marker, first === await import('alpha')]));`,
      options,
    );
    expect(data).toEqual(['alpha', true]);
    await ticked;
  });
});
