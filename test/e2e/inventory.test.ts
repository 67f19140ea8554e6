/** The inventory of the core in trees that npm and pnpm make. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';
import { pkg, read } from '../support/shipped.ts';

/** Packages of the registry. */
const PACKAGES = [
  pkg('alpha', '1.0.0', { dependencies: { beta: '^1.0.0' } }),
  pkg('beta', '1.0.0'),
  pkg('beta', '2.0.0'),
  pkg('cyclic', '1.0.0', { dependencies: { cycle: '1.0.0' } }),
  pkg('cycle', '1.0.0', { dependencies: { cyclic: '1.0.0' } }),
  pkg('tool', '1.0.0', { dependencies: { beta: '^2.0.0', gadget: '1.0.0' } }),
  pkg('gadget', '1.0.0'),
  pkg('plugin', '1.0.0', { peerDependencies: { host: '1.0.0' } }),
  pkg('host', '1.0.0', { dependencies: { 'host-part': '1.0.0' } }),
  pkg('host-part', '1.0.0'),
  pkg('open', '1.0.0', {
    peerDependencies: { typescript: '*' },
    peerDependenciesMeta: { typescript: { optional: true } },
  }),
  pkg('typescript', '5.0.0'),
  pkg('@acme/deep', '1.0.0', { dependencies: { alpha: '1.0.0' } }),
  pkg('watcher', '1.0.0', { optionalDependencies: { native: '1.0.0', elsewhere: '1.0.0' } }),
  pkg('native', '1.0.0', { os: [process.platform] }),
  pkg('elsewhere', '1.0.0', { os: ['nowhere'] }),
];

let registry: Registry;
beforeAll(async () => {
  registry = await startRegistry(PACKAGES);
});

async function open(): Promise<Sandbox> {
  return await createSandbox({ registry, linkAnnex: false });
}

async function npm(sandbox: Sandbox, args: string[], cwd = 'app'): Promise<void> {
  const { code, stderr } = await sandbox.exec('npm', [...args, '--no-audit', '--no-fund'], { cwd });
  if (code !== 0) throw new Error(stderr);
}

async function pnpm(sandbox: Sandbox, args: string[], cwd = 'app'): Promise<void> {
  const bin = join(repositoryRoot, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
  const env = { CI: 'true', npm_config_store_dir: join(sandbox.root, 'pnpm-store') };
  const { code, stdout, stderr } = await sandbox.run([bin, ...args], { cwd, env });
  if (code !== 0) throw new Error(stdout + stderr);
}

const EVERYTHING = {
  dependencies: {
    alpha: '^1.0.0',
    cyclic: '^1.0.0',
    plugin: '^1.0.0',
    open: '^1.0.0',
    watcher: '^1.0.0',
    renamed: 'npm:beta@1.0.0',
  },
  optionalDependencies: { elsewhere: '1.0.0' },
  devDependencies: { tool: '^1.0.0', beta: '^2.0.0', typescript: '^5.0.0', host: '1.0.0' },
};

/** Only npm hoists the rest, so that the root sees it. */
const DECLARED = {
  alpha: '1.0.0*',
  cyclic: '1.0.0*',
  open: '1.0.0* typescript',
  plugin: '1.0.0* host',
  renamed: '*',
  watcher: '1.0.0*',
};

const INSTALLERS = {
  npm: {
    full: (sandbox: Sandbox) => npm(sandbox, ['install']),
    production: (sandbox: Sandbox) => npm(sandbox, ['ci', '--omit=dev']),
    ships: { ...DECLARED, cycle: '1.0.0', host: '1.0.0', 'host-part': '1.0.0' },
  },
  pnpm: {
    full: (sandbox: Sandbox) => pnpm(sandbox, ['install']),
    production: (sandbox: Sandbox) => pnpm(sandbox, ['install', '--prod', '--frozen-lockfile']),
    ships: DECLARED,
  },
};

describe.each(Object.entries(INSTALLERS))('%s', (_, { full, production, ships }) => {
  test('a laptop with devDependencies and an image without them ship the same', async () => {
    const sandbox = await open();
    sandbox.setCore({ features: {} }, EVERYTHING);
    await full(sandbox);
    const onLaptop = read(sandbox.core);
    rmSync(join(sandbox.core, 'node_modules'), { recursive: true });
    await production(sandbox);
    const inImage = read(sandbox.core);
    expect(onLaptop).toEqual(ships);
    expect(inImage).toEqual(ships);
  });
});

describe('npm', () => {
  test('a workspace ships the packages hoisted above it, other workspaces included', async () => {
    const sandbox = await open();
    sandbox.write('ws/package.json', { name: 'ws', private: true, workspaces: ['packages/*'] });
    sandbox.write('ws/packages/app/package.json', {
      name: 'app',
      version: '1.0.0',
      dependencies: { alpha: '^1.0.0', '@acme/shared': '*', unversioned: '*' },
    });
    sandbox.write('ws/packages/shared/package.json', {
      name: '@acme/shared',
      version: '3.1.0',
      dependencies: { cycle: '1.0.0' },
      devDependencies: { tool: '1.0.0' },
    });
    sandbox.write('ws/packages/unversioned/package.json', { name: 'unversioned' });
    sandbox.write('ws/packages/other/package.json', {
      name: 'other',
      version: '1.0.0',
      dependencies: { host: '1.0.0' },
    });
    await npm(sandbox, ['install'], 'ws');
    expect(read(join(sandbox.root, 'ws/packages/app'))).toEqual({
      alpha: '1.0.0*',
      '@acme/shared': '3.1.0*',
      unversioned: '*',
      beta: '1.0.0',
      cycle: '1.0.0',
      cyclic: '1.0.0',
    });
    expect(read(join(sandbox.root, 'ws'))).toEqual({});
  });

  test("--install-strategy=linked ships the root's links", async () => {
    const sandbox = await open();
    sandbox.setCore({ features: {} }, { dependencies: { '@acme/deep': '^1.0.0' } });
    await npm(sandbox, ['install', '--install-strategy=linked']);
    expect(read(sandbox.core)).toEqual({ '@acme/deep': '1.0.0*' });
  });
});

test('pnpm: a workspace ships its own links', async () => {
  const sandbox = await open();
  sandbox.write('ws/package.json', {
    name: 'ws',
    private: true,
    devDependencies: { tool: '1.0.0' },
  });
  sandbox.write('ws/pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
  sandbox.write('ws/packages/app/package.json', {
    name: 'app',
    version: '1.0.0',
    dependencies: { alpha: '^1.0.0', shared: 'workspace:*' },
  });
  sandbox.write('ws/packages/shared/package.json', {
    name: 'shared',
    version: '3.1.0',
    dependencies: { cycle: '1.0.0' },
  });
  await pnpm(sandbox, ['install'], 'ws');
  expect(read(join(sandbox.root, 'ws/packages/app'))).toEqual({
    alpha: '1.0.0*',
    shared: '3.1.0*',
  });
});
