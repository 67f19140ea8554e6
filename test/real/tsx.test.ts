/** Beside tsx, the loader that most TypeScript applications run under: in either order, on every Node. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';
const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
const nodes = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');

test('static import, import() and require from TypeScript, with tsx before and after', async () => {
  const sandbox = await createSandbox();
  sandbox.write('tools/package.json', { private: true });
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier', '--no-save'];
  const installed = await sandbox.exec('npm', ['install', ...flags, 'tsx@~4.23.0'], {
    cwd: 'tools',
    env: readMachineEnvironment(),
  });
  expect(installed).toMatchObject({ code: 0 });
  const tsx = join(sandbox.root, 'tools', 'node_modules', 'tsx', 'dist', 'loader.mjs');

  sandbox.setCore({ features: { 'esm-only': '*', 'cjs-only': '*', absent: '*' } });
  for (const pkg of [
    esmPackage('esm-only', '1.0.0', MARKER),
    cjsPackage('cjs-only', '1.0.0', MARKER),
  ]) {
    sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '*' } });
  }
  sandbox.write('app/part.ts', `export { marker } from 'esm-only';`);
  sandbox.write(
    'app/main.ts',
    `import { createRequire } from 'node:module';
     import { marker } from './part.js';
     import { status } from 'annex';
     enum Way { Require = 'require' }
     const require = createRequire(import.meta.url);
     const ask = async (load: () => unknown) => {
       try { return ((await load()) as { marker: string }).marker; } catch (error) { return (error as { code: string }).code; }
     };
     console.log(JSON.stringify({
       static: marker,
       dynamic: await ask(() => import('esm-only')),
       [Way.Require]: await ask(() => require('cjs-only')),
       absent: await ask(() => import('absent')),
       isActive: status().loader !== 'inactive',
     }));`,
  );
  for (const line of nodes) {
    const [version = '', node = ''] = line.split(' ');
    for (const preloads of [
      [tsx, sandbox.loader],
      [sandbox.loader, tsx],
    ]) {
      const { code, stdout, stderr } = await sandbox.run(
        [...preloads.flatMap((preload) => ['--import', preload]), 'main.ts'],
        {
          node,
          env: { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_LOG: 'error' },
        },
      );
      const seen: unknown = code === 0 ? JSON.parse(stdout) : stderr;
      expect({ version, preloads, stderr, seen }).toEqual({
        version,
        preloads,
        stderr: '',
        seen: {
          static: MARKER,
          dynamic: MARKER,
          require: MARKER,
          absent: 'ERR_MODULE_NOT_FOUND',
          isActive: true,
        },
      });
    }
  }
});
