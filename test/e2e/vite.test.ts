/** annex/vite in a real Vite: the server runs code that imports declared packages, and a build leaves them outside. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cjsPackage, dualPackage, esmPackage } from '../support/fixtures.ts';
import { repositoryRoot } from '../support/package.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const SERVE = `
import { annex } from 'annex/vite';
import { createServer } from 'vite';
const server = await createServer({
  configFile: false,
  logLevel: 'silent',
  optimizeDeps: { noDiscovery: true },
  plugins: [annex()],
  server: { middlewareMode: true, watch: null, ws: false },
});
const load = (name) => server.ssrLoadModule('/' + name).then(({ seen }) => seen, ({ message }) => message);
console.log(JSON.stringify({
  dual: await load('dual.mjs'),
  core: await load('core.mjs'),
  commonjs: await load('commonjs.mjs'),
  undeclared: await load('undeclared.mjs'),
}));
await server.close();`;

const BUILD = `
import { annex } from 'annex/vite';
import { build } from 'vite';
const make = async (input, ssr) => {
  const output = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [annex()],
    build: { ssr, write: false, rollupOptions: { input } },
  });
  return output.output[0].imports;
};
console.log(JSON.stringify({
  server: await make('dual.mjs', true),
  shipped: await make('core.mjs', true),
  browser: await make('dual.mjs', false).catch(({ message }) => message),
}));`;

const CONFIG = `
import { annex } from 'annex/vite';
export default { plugins: [annex()] };`;

const TEST = `
import { load, status } from 'annex';
import { expect, test } from 'vitest';
test('load() and import() give the same package', async () => {
  const all = await load('commonjs');
  expect(all).toMatchObject({ marker: 'store' });
  expect((await import('commonjs')).marker).toBe(all.marker);
  expect(status().loader).not.toBe('inactive');
});`;

/** An application that ships one of its declared packages. */
async function open() {
  const registry = await startRegistry([
    dualPackage('dual', '1.0.0', 'store'),
    cjsPackage('commonjs', '1.0.0', 'store'),
    esmPackage('shipped', '1.0.0', 'store'),
  ]);
  const sandbox = await createSandbox({ registry });
  sandbox.setCore({ features: { dual: '*', commonjs: '*', shipped: '*' } });
  sandbox.addPackage('app/node_modules', esmPackage('shipped', '1.0.0', 'core'));
  const vite = join(repositoryRoot, 'node_modules', 'vite');
  symlinkSync(vite, join(sandbox.core, 'node_modules', 'vite'));
  sandbox.write('app/dual.mjs', `import { flavor } from 'dual'; export const seen = flavor;`);
  sandbox.write('app/commonjs.mjs', `import all from 'commonjs'; export const seen = all.marker;`);
  sandbox.write('app/core.mjs', `import { marker } from 'shipped'; export const seen = marker;`);
  sandbox.write('app/undeclared.mjs', `import 'undeclared'; export const seen = 'never';`);
  for (const tool of ['vitest', '@vitest']) {
    symlinkSync(
      join(repositoryRoot, 'node_modules', tool),
      join(sandbox.core, 'node_modules', tool),
    );
  }
  sandbox.write('app/vite.config.mjs', CONFIG);
  sandbox.write('app/load.test.mjs', TEST);
  sandbox.write('app/serve.mjs', SERVE);
  sandbox.write('app/build.mjs', BUILD);
  const run = async (file: string, env: Record<string, string> = {}) => {
    const result = await sandbox.run([file], { env: { ANNEX_STORE: sandbox.store, ...env } });
    expect(result.code, result.stderr).toBe(0);
    return { ...result, seen: JSON.parse(result.stdout) as Record<string, unknown> };
  };
  return { registry, run, sandbox };
}

test('a server gets what Node gets: the core first, and the ES module of a package that is installed now', async () => {
  const { run } = await open();
  const { seen, stderr } = await run('serve.mjs');
  expect(seen).toMatchObject({
    dual: 'import',
    core: 'core',
    // Vite transforms what it finds into an ES module.
    commonjs: expect.stringContaining('is not defined'),
    undeclared: expect.stringContaining('undeclared'),
  });
  expect(stderr).toMatch(/^annex: installed dual /m);
  expect(stderr).not.toContain('annex: installed shipped');
});

test('without installs, the error is that of Vite, and annex writes the reason', async () => {
  const { registry, run } = await open();
  const { seen, stderr } = await run('serve.mjs', { ANNEX_ALLOW_INSTALLS: 'false' });
  expect(seen).toMatchObject({ dual: expect.stringContaining('dual'), core: 'core' });
  expect(stderr).toMatch(/^annex: dual unavailable \(ANNEX_DENIED\): /m);
  expect(registry.requests).toEqual([]);
});

test('a build for a server leaves declared packages outside; one for a browser fails as without annex', async () => {
  const { registry, run } = await open();
  const { seen } = await run('build.mjs');
  expect(seen).toEqual({
    server: ['dual'],
    shipped: ['shipped'],
    browser: expect.stringMatching(/failed to resolve import "dual"/),
  });
  expect(registry.requests).toEqual([]);
});

test.each(['forks', 'threads'])(
  'load() and import() find a feature in vitest, in its pool of %s',
  async (pool) => {
    const { sandbox } = await open();
    const vitest = join(sandbox.core, 'node_modules', 'vitest', 'vitest.mjs');
    const result = await sandbox.run([vitest, 'run', '--pool', pool], {
      // vitest is linked, so no application is above its scripts.
      env: { ANNEX_CORE: sandbox.core, ANNEX_STORE: sandbox.store, NO_COLOR: '1' },
    });
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(result.stderr).toMatch(/^annex: installed commonjs /m);
    expect(result.stderr).not.toContain('the loader is not active');
  },
);
