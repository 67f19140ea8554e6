/** A loader that answers by the query of the importing file, as mocks do, is asked for each file. */
import { describe, test } from 'vitest';
import { nodes } from '../support/nodes.ts';
import { createSandbox } from '../support/sandbox.ts';

const HOOKS = `
export const resolve = (specifier, context, next) =>
  specifier === 'backend' && context.parentURL?.endsWith('?mock')
    ? { url: 'data:text/javascript,export const marker = "mock"', shortCircuit: true }
    : next(specifier, context);`;

const MAIN = `
import { register } from 'node:module';
register('./hooks.mjs', import.meta.url);
const { marker } = await import('backend');
const real = await import('./used.mjs');
const mocked = await import('./used.mjs?mock');
console.log(marker, real.marker, mocked.marker);`;

describe.for(nodes)('$label', ({ path: node }) => {
  test('a file gets the mock, although others of its directory got the package', async ({
    expect,
  }) => {
    const sandbox = await createSandbox({ node });
    sandbox.setCore({ features: { backend: '^1.0.0' } });
    sandbox.plantEntry({
      feature: 'backend',
      specs: { backend: '^1.0.0' },
      packages: [
        {
          name: 'backend',
          version: '1.0.0',
          files: { 'index.js': `export const marker = 'real';` },
          manifest: { type: 'module', exports: './index.js' },
        },
      ],
    });
    sandbox.write('app/hooks.mjs', HOOKS);
    sandbox.write('app/used.mjs', `export { marker } from 'backend';`);
    sandbox.write('app/main.mjs', MAIN);
    const args = ['--no-deprecation', '--import', sandbox.loader, 'main.mjs'];
    const env = { ANNEX_STORE: sandbox.store };
    expect(await sandbox.run(args, { env })).toMatchObject({ stdout: 'real real mock\n', code: 0 });
  });
});
