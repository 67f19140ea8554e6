/** Workspaces of npm and pnpm: a linked package is the application's own file, an installed one is not (rule 8). */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const pnpm = join(repositoryRoot, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');

/** Imports a feature that a package of the registry probes for as well. */
const TOOLS = `
import { probe } from 'prober';
export const ask = () => import('absent').then(({ marker }) => marker, ({ cause }) => cause?.code);
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

describe.each(Object.keys(INSTALLERS))('%s', (name) => {
  test('an import in a linked package of the workspace installs; a dependency of it that probes does not', async () => {
    const prober = esmPackage('prober', '1.0.0', '', { exports: './index.js' });
    const registry = await startRegistry([
      esmPackage('absent', '1.0.0', 'installed'),
      esmPackage('probed', '1.0.0', 'installed'),
      { ...prober, files: { ...prober.files, 'index.js': PROBER } },
    ]);
    const sandbox = await createSandbox({ registry });
    sandbox.write('ws/package.json', { name: 'ws', private: true, workspaces: ['packages/*'] });
    sandbox.write('ws/packages/gateway/package.json', {
      name: 'gateway',
      version: '1.0.0',
      type: 'module',
      dependencies: { tools: name === 'npm' ? '*' : 'workspace:*' },
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
});
