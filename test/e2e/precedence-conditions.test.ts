/** The conditions of a resolution from the store are those of the caller. */
import { beforeAll, describe, expect, test } from 'vitest';
import { conditionsPackage, dualPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { forgetPlace, forms, keyOf, type Probe, writeProbe } from '../support/probe.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { declare, plantShadows, SHADOW } from '../support/shadow.ts';

const MARKER = 'the real one';
const packages = [
  conditionsPackage('conditions', '1.2.0', MARKER),
  dualPackage('@acme/dual', '1.2.0', MARKER),
  {
    name: 'import-only',
    version: '1.2.0',
    manifest: { exports: { import: './e.mjs' } },
    files: { 'e.mjs': `export const marker = '${MARKER}';` },
  },
  {
    name: 'with-data',
    version: '1.2.0',
    files: { 'data.json': `{"marker":"${MARKER}"}`, 'index.js': `exports.marker = '${MARKER}'` },
  },
] as const;
const names = packages.map(({ name }) => name);
const questions = names.map((specifier) => ({ from: 'app', specifier }));

/** Another loader, which adds a condition; it does nothing without module.registerHooks. */
const EXTRA = `import * as nodeModule from 'node:module';
nodeModule.registerHooks?.({
  resolve: (specifier, context, nextResolve) =>
    nextResolve(specifier, { ...context, conditions: [...context.conditions, 'custom'] }),
});
`;

interface World {
  sandbox: Sandbox;
  probe: Probe;
}
let shipping: World;
let lacking: World;

async function build(plant: (sandbox: Sandbox) => void): Promise<World> {
  const sandbox = await createSandbox();
  sandbox.setCore({ features: declare(names) });
  sandbox.write('app/extra.mjs', EXTRA);
  plant(sandbox);
  return { sandbox, probe: writeProbe(sandbox, questions) };
}

beforeAll(async () => {
  shipping = await build((sandbox) => {
    for (const pkg of packages) sandbox.addPackage('app/node_modules', pkg);
  });
  lacking = await build((sandbox) => {
    plantShadows(sandbox, names, { hasEntry: false, claim: 'conditions' });
    for (const pkg of packages) {
      const specs = { [pkg.name]: '^1.0.0' };
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs });
    }
  });
});

const EXTRA_FLAGS = ['--import', './extra.mjs'];
const cases = [
  { title: 'without a flag', before: [], after: [] },
  { title: 'under --conditions=custom', before: ['-C', 'custom'], after: [] },
  { title: 'under --conditions=browser', before: ['-C', 'browser'], after: [] },
  { title: 'under --conditions=require', before: ['-C', 'require'], after: [] },
  { title: 'under --conditions=import', before: ['-C', 'import'], after: [] },
  { title: 'behind a loader that adds one', before: EXTRA_FLAGS, after: [] },
  { title: 'before a loader that adds one', before: [], after: EXTRA_FLAGS },
];

describe.each(nodes)('$label', (node) => {
  test.for(cases)('the store resolves like the core, $title', async ({ before, after }) => {
    const env = { ANNEX_STORE: lacking.sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const { loader } = lacking.sandbox;
    const flags = [...before, '--import', loader, ...after];
    const answers = await lacking.probe.run({ node: node.path, flags, env });
    const alone = await shipping.probe.run({ node: node.path, flags: [...before, ...after] });
    expect(JSON.stringify(answers)).not.toContain(SHADOW);
    expect(forgetPlace(answers)).toEqual(forgetPlace(alone));
  });

  test('import attributes are passed on, and require.resolve with paths is left to Node', async () => {
    lacking.sandbox.write(
      'app/attributes.mjs',
      `import { createRequire } from 'node:module';
         import data from 'with-data/data.json' with { type: 'json' };
         const require = createRequire(import.meta.url);
         const outcomes = [data.marker, (await import('with-data/data.json', { with: { type: 'json' } })).default.marker];
         try {
           require.resolve('with-data/data.json', { paths: [process.cwd()] });
         } catch ({ code, cause }) {
           outcomes.push(code, String(cause));
         }
         console.log(outcomes.join());`,
    );
    const env = { ANNEX_STORE: lacking.sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const args = ['--import', lacking.sandbox.loader, 'attributes.mjs'];
    const { stdout } = await lacking.sandbox.run(args, { node: node.path, env });
    expect(stdout).toBe(`${MARKER},${MARKER},MODULE_NOT_FOUND,undefined\n`);
  });

  test('an import gets the build for import, a require the one for require', async () => {
    const env = { ANNEX_STORE: lacking.sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    const flags = ['--import', lacking.sandbox.loader];
    const answers = await lacking.probe.run({ node: node.path, flags, env });
    const flavors = forms.map((form) => answers[keyOf('app', form, '@acme/dual')]?.flavor);
    expect(flavors).toEqual([
      ...['import', 'import', undefined, 'require'],
      ...[undefined, 'require', undefined, 'import'],
    ]);
  });
});
