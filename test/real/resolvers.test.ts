/** Libraries with their own resolution: how jiti, exsolve and enhanced-resolve see a store, on every Node. */
import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { conditionsPackage, dualPackage, esmPackage } from '../support/fixtures.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';

const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
const nodes = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');

const PROGRAM = `
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { resolveModulePath } from 'exsolve';
import { createJiti } from 'jiti';
import { createJiti as createNative } from 'jiti/native';
const require = createRequire(import.meta.url);
const { ResolverFactory, CachedInputFileSystem } = require('enhanced-resolve');
const enhanced = ResolverFactory.createResolver({
  fileSystem: new CachedInputFileSystem(require('node:fs'), 4000),
  conditionNames: ['node', 'import'],
  useSyncFileSystemCalls: true,
});
const ask = async (run) => {
  try { return await run(); } catch ({ code, message }) { return code ?? message.split('\\n')[0]; }
};
const jiti = createJiti(import.meta.url, { fsCache: false });
const native = createNative(import.meta.url);
const resolve = (name) => fileURLToPath(import.meta.resolve(name));
const alias = { dual: resolve('dual'), 'import-alone': resolve('import-alone') };
const aliased = createJiti(import.meta.url, { fsCache: false, alias });
console.log(JSON.stringify({
  'import()': await ask(async () => (await import('dual')).flavor),
  'jiti.import, ES module': await ask(async () => (await jiti.import('esm-only')).marker),
  'jiti.import, dual': await ask(async () => (await jiti.import('dual')).flavor),
  'jiti.import, conditions': await ask(async () => (await jiti.import('conditions')).condition),
  'jiti.import, import alone': await ask(async () => (await jiti.import('import-alone')).marker),
  'jiti/native, dual': await ask(async () => (await native.import('dual')).flavor),
  'alias, dual': await ask(async () => (await aliased.import('dual')).flavor),
  'alias, import alone': await ask(async () => (await aliased.import('import-alone')).marker),
  exsolve: await ask(() => resolveModulePath('dual', { from: import.meta.url })),
  'enhanced-resolve': await ask(() => enhanced.resolveSync({}, import.meta.dirname, 'dual')),
}));`;

test('a library that falls back to Node sees the store; one that only searches directories does not', async () => {
  const sandbox = await createSandbox({ linkAnnex: false });
  const importAlone = esmPackage('import-alone', '1.0.0', 'store', {
    exports: { '.': { import: './index.js' } },
  });
  const packages = [
    dualPackage('dual', '1.0.0', 'store'),
    conditionsPackage('conditions', '1.0.0', 'store'),
    esmPackage('esm-only', '1.0.0', 'store'),
    importAlone,
  ];
  sandbox.setCore({ features: Object.fromEntries(packages.map(({ name }) => [name, '*'])) });
  const flags = ['--no-audit', '--no-fund', '--no-save', '--no-package-lock'];
  const tools = ['jiti@~2.7.0', 'exsolve@~1.2.0', 'enhanced-resolve@~5.27.0'];
  const installed = await sandbox.exec('npm', ['install', ...flags, ...tools], {
    env: readMachineEnvironment(),
  });
  expect(installed, installed.stderr).toMatchObject({ code: 0 });
  symlinkSync(repositoryRoot, join(sandbox.core, 'node_modules', 'annex'));
  for (const pkg of packages) {
    sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
  }
  sandbox.write('app/main.mjs', PROGRAM);
  const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
  for (const line of nodes) {
    const [version = '', node = ''] = line.split(' ');
    const run = await sandbox.run(['--import', sandbox.loader, 'main.mjs'], { node, env });
    expect(run.code, run.stderr).toBe(0);
    expect({ version, ...JSON.parse(run.stdout.replaceAll(sandbox.root, '')) }).toEqual({
      version,
      'import()': 'import',
      'jiti.import, ES module': 'store',
      // It searches directories first, and then uses the resolution of `require`.
      'jiti.import, dual': 'require',
      'jiti.import, conditions': 'module-sync',
      'jiti.import, import alone': 'ERR_PACKAGE_PATH_NOT_EXPORTED',
      'jiti/native, dual': 'import',
      'alias, dual': 'import',
      'alias, import alone': 'store',
      exsolve: 'ERR_MODULE_NOT_FOUND',
      'enhanced-resolve': "Can't resolve 'dual' in '/app'",
    });
  }
});
