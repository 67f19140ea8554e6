/** Workspaces of npm and pnpm: a linked package is the application's own file, an installed one is not (rule 8). */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const pnpm = join(repositoryRoot, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');

/** Imports a feature that a package of the registry probes for as well. */
const ASK = `export const ask = () => import('absent').then(({ marker }) => marker, ({ cause }) => cause?.code);`;

const TOOLS = `
import { probe } from 'prober';
${ASK}
export { probe };`;

const PROBER = `export const probe = () => import('probed').then(({ marker }) => marker, ({ cause }) => cause?.code);`;

const MAIN = `
import { ask, probe } from 'tools';
console.log(JSON.stringify([await probe(), await ask()]));`;

const INSTALLERS: Record<string, (sandbox: Sandbox) => Promise<{ code: number | null }>> = {
  npm: (sandbox) => sandbox.exec('npm', ['install', '--no-audit', '--no-fund'], { cwd: 'ws' }),
  pnpm: (sandbox) => {
    sandbox.write('ws/pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
    const env = { CI: 'true', npm_config_store_dir: join(sandbox.root, 'pnpm-store') };
    return sandbox.run([pnpm, 'install'], { cwd: 'ws', env });
  },
};

/** A tool that runs a file of the working directory. */
const RUNNER = `
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
await import(pathToFileURL(resolve(process.argv[2])));`;

/** An application with features in a workspace, whose root has none. */
async function openWorkspace(name: string): Promise<Sandbox> {
  const prober = esmPackage('prober', '1.0.0', '', { exports: './index.js' });
  const registry = await startRegistry([
    esmPackage('absent', '1.0.0', 'installed'),
    esmPackage('probed', '1.0.0', 'installed'),
    { ...prober, files: { ...prober.files, 'index.js': PROBER } },
    { name: 'runner', version: '1.0.0', files: { 'cli.mjs': RUNNER } },
  ]);
  const sandbox = await createSandbox({ registry });
  sandbox.write('ws/package.json', { name: 'ws', private: true, workspaces: ['packages/*'] });
  sandbox.write('ws/packages/gateway/package.json', {
    name: 'gateway',
    version: '1.0.0',
    type: 'module',
    dependencies: { tools: name === 'npm' ? '*' : 'workspace:*' },
    devDependencies: { runner: '1.0.0' },
    annex: { features: { absent: '^1.0.0', probed: '^1.0.0' } },
  });
  sandbox.write('ws/packages/gateway/main.mjs', MAIN);
  sandbox.write('ws/packages/tools/package.json', {
    name: 'tools',
    version: '1.0.0',
    type: 'module',
    exports: './index.js',
    dependencies: { prober: '^1.0.0' },
  });
  sandbox.write('ws/packages/tools/index.js', TOOLS);
  expect(await INSTALLERS[name]?.(sandbox)).toMatchObject({ code: 0 });
  return sandbox;
}

describe.each(Object.keys(INSTALLERS))('%s', (name) => {
  test('an import in a linked package of the workspace installs; a dependency of it that probes does not', async () => {
    const sandbox = await openWorkspace(name);
    for (const node of nodes) {
      const env = { ANNEX_STORE: join(sandbox.root, 'volume', node.label) };
      const { stdout, stderr } = await sandbox.run(['--import', sandbox.loader, 'main.mjs'], {
        node: node.path,
        env,
        cwd: 'ws/packages/gateway',
      });
      expect(stdout, stderr).toBe('["ANNEX_DENIED","installed"]\n');
    }
  });

  test('a tool finds the application of the working directory', async () => {
    const sandbox = await openWorkspace(name);
    const cwd = 'ws/packages/gateway';
    const { resolve } = createRequire(join(sandbox.root, cwd, 'main.mjs'));
    for (const node of nodes) {
      const env = { ANNEX_STORE: join(sandbox.root, 'volume', node.label) };
      const args = ['--import', sandbox.loader, resolve('runner/cli.mjs'), 'main.mjs'];
      const { stdout, stderr } = await sandbox.run(args, { node: node.path, env, cwd });
      expect(stdout, stderr).toBe('["ANNEX_DENIED","installed"]\n');
    }
  });
});

test('pnpm deploy copies a workspace package: its import installs where importers lists it', async () => {
  const registry = await startRegistry([esmPackage('absent', '1.0.0', 'installed')]);
  const sandbox = await createSandbox({ registry });
  const env = { CI: 'true', npm_config_store_dir: join(sandbox.root, 'pnpm-store') };
  sandbox.write('ws/pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
  sandbox.write('ws/package.json', { name: 'ws', private: true });
  sandbox.write('ws/packages/tools/package.json', {
    name: 'tools',
    version: '1.0.0',
    exports: './index.mjs',
  });
  sandbox.write('ws/packages/tools/index.mjs', ASK);
  const run = async (cwd: string, importers: string[]) => {
    sandbox.write('ws/packages/gateway/package.json', {
      name: 'gateway',
      version: '1.0.0',
      dependencies: { tools: 'workspace:*' },
      annex: { features: { absent: '^1.0.0' }, importers },
    });
    sandbox.write(
      'ws/packages/gateway/main.mjs',
      `import { ask } from 'tools';\nconsole.log(await ask());`,
    );
    const flags = ['--filter', 'gateway', '--prod', '--legacy', 'deploy', join(sandbox.root, cwd)];
    expect(await sandbox.run([pnpm, ...flags], { cwd: 'ws', env })).toMatchObject({ code: 0 });
    const args = ['--import', sandbox.loader, 'main.mjs'];
    const store = { ANNEX_STORE: join(sandbox.root, 'volume', cwd) };
    return (await sandbox.run(args, { cwd, env: store })).stdout;
  };
  expect(await run('plain', [])).toBe('ANNEX_DENIED\n');
  expect(await run('listed', ['tools'])).toBe('installed\n');
});
