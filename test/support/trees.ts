/** Trees made by real tools: an application that depends on annex and on a package that probes for an optional one. */
import { existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type PackageFixture, packRepository, repositoryRoot } from './package.ts';
import type { Sandbox } from './sandbox.ts';

/** A dependency that probes for an optional one, as `ws` does for `bufferutil`. */
const PROBER: PackageFixture = {
  name: 'prober',
  version: '1.0.0',
  files: {
    'index.js': `
      import { createRequire } from 'node:module';
      const attempt = async (ask) => {
        try { return (await ask()).marker; } catch ({ code, cause }) { return code + ' ' + cause?.code; }
      };
      export const probe = async () => [
        await attempt(() => import('needed')),
        await attempt(() => createRequire(import.meta.url)('needed')),
      ];`,
  },
  manifest: { type: 'module', exports: './index.js' },
};

const PROGRAM = `
import { status } from 'annex';
import { probe } from 'prober';
const before = await probe();
const own = await import('needed').then(({ marker }) => marker, ({ code, cause }) => code + ' ' + cause?.code);
const after = await probe();
console.log(JSON.stringify({ core: status().core, before, own, after }));`;

const DEPENDENCIES = { annex: '*', prober: '*' };
const FEATURES = { features: { needed: '^1.0.0' } };

/** An application for a global install: it has no flags, so its first line imports the loader. */
const GLOBAL_APPLICATION: PackageFixture = {
  name: 'global-app',
  version: '1.0.0',
  files: {
    'cli.mjs': `#!/usr/bin/env node\nimport 'annex/register';\nawait import('./app.mjs');`,
    'app.mjs': PROGRAM,
  },
  modes: { 'cli.mjs': 0o755 },
  manifest: {
    type: 'module',
    bin: { 'global-app': './cli.mjs' },
    dependencies: DEPENDENCIES,
    annex: FEATURES,
  },
};

/** A tree: its program, and the expected results. */
export interface Tree {
  /** The expected core root. */
  root: string;
  /** Arguments of Node. */
  start: string[];
  cwd: string;
  /** Real path of the installed annex. */
  annex: string;
  /** Other ways of starting the same program. */
  also?: { start: string[]; cwd: string }[];
}

type Build = (sandbox: Sandbox) => Promise<Tree>;

/** Runs npm in a directory of the sandbox. */
export async function npm(sandbox: Sandbox, args: string[], cwd = 'app'): Promise<void> {
  const flags = ['--no-audit', '--no-fund', '--no-update-notifier'];
  const { code, stderr } = await sandbox.exec('npm', [...args, ...flags], { cwd });
  if (code !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
}

/** Runs pnpm in a directory of the sandbox. */
export async function pnpm(sandbox: Sandbox, args: string[], cwd = 'app'): Promise<void> {
  const bin = join(repositoryRoot, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs');
  const env = { CI: 'true', npm_config_store_dir: join(sandbox.root, 'pnpm-store') };
  const { code, stdout, stderr } = await sandbox.run([bin, ...args], { cwd, env });
  if (code !== 0) throw new Error(`pnpm ${args.join(' ')}: ${stdout}${stderr}`);
}

const describeTree = (root: string, cwd = root): Tree => ({
  root,
  cwd,
  start: ['--import', 'annex/loader.mjs', 'app.mjs'],
  annex: realpathSync(findInstalled(cwd)),
});

function findInstalled(dir: string): string {
  const installed = join(dir, 'node_modules', 'annex');
  return existsSync(installed) ? installed : findInstalled(join(dir, '..'));
}

/** Writes a workspace with `packages/app` and another package; `declaring` is the place of the declaration. */
function writeWorkspace(sandbox: Sandbox, declaring: 'root' | 'app'): string {
  const root = join(sandbox.root, 'workspace');
  const annexOf = (place: string) => (place === declaring ? { annex: FEATURES } : {});
  sandbox.write('workspace/package.json', {
    name: 'workspace',
    private: true,
    workspaces: ['packages/*'],
    ...annexOf('root'),
  });
  sandbox.write('workspace/pnpm-workspace.yaml', 'packages:\n  - packages/*\n');
  sandbox.write('workspace/packages/app/package.json', {
    name: 'workspace-app',
    version: '1.0.0',
    type: 'module',
    dependencies: DEPENDENCIES,
    ...annexOf('app'),
  });
  sandbox.write('workspace/packages/app/app.mjs', PROGRAM);
  sandbox.write('workspace/packages/other/package.json', { name: 'other', version: '1.0.0' });
  return root;
}

function writeApplication(sandbox: Sandbox): void {
  sandbox.setCore(FEATURES, { dependencies: DEPENDENCIES });
  sandbox.write('app/app.mjs', PROGRAM);
}

/** Every way to make a tree, by name. */
export const TREES: Record<string, Build> = {
  'npm install, also behind the link of a release': async (sandbox) => {
    writeApplication(sandbox);
    await npm(sandbox, ['install']);
    const link = join(sandbox.root, 'current');
    symlinkSync(sandbox.core, link);
    const start = ['--import', `${link}/node_modules/annex/loader.mjs`, `${link}/app.mjs`];
    return { ...describeTree(sandbox.core), also: [{ cwd: link, start }] };
  },
  'pnpm install': async (sandbox) => {
    writeApplication(sandbox);
    await pnpm(sandbox, ['install']);
    return describeTree(sandbox.core);
  },
  'pnpm deploy': async (sandbox) => {
    const root = writeWorkspace(sandbox, 'app');
    await pnpm(sandbox, ['install'], root);
    const target = join(sandbox.root, 'deployed');
    await pnpm(sandbox, ['--filter=workspace-app', '--legacy', '--prod', 'deploy', target], root);
    return describeTree(target);
  },
  'npm workspaces, the application declares': async (sandbox) => {
    const root = writeWorkspace(sandbox, 'app');
    await npm(sandbox, ['install'], root);
    const tree = describeTree(join(root, 'packages', 'app'));
    const start = ['--import', 'annex/loader.mjs', 'node_modules/workspace-app/app.mjs'];
    return { ...tree, also: [{ cwd: root, start }] };
  },
  'npm workspaces, the root declares': async (sandbox) => {
    const root = writeWorkspace(sandbox, 'root');
    await npm(sandbox, ['install'], root);
    return describeTree(root, join(root, 'packages', 'app'));
  },
  'npm install --global': async (sandbox) => {
    const prefix = join(sandbox.root, 'prefix');
    await npm(sandbox, ['install', '--global', '--prefix', prefix, 'global-app'], '.');
    const root = join(prefix, 'lib', 'node_modules', 'global-app');
    const start = [join(prefix, 'bin', 'global-app')];
    return { root, start, cwd: sandbox.home, annex: join(root, 'node_modules', 'annex') };
  },
  'a linked checkout of annex and of a dependency': async (sandbox) => {
    writeApplication(sandbox);
    sandbox.write('checkouts/package.json', { dependencies: DEPENDENCIES });
    await npm(sandbox, ['install'], 'checkouts');
    mkdirSync(join(sandbox.core, 'node_modules'), { recursive: true });
    for (const name of ['annex', 'prober']) {
      const target = join(sandbox.root, 'checkouts', 'node_modules', name);
      symlinkSync(target, join(sandbox.core, 'node_modules', name));
    }
    return describeTree(sandbox.core);
  },
};

/** Packages that the registry must have for these trees, besides the feature. */
export const listTreePackages = (): PackageFixture[] => [
  packRepository(),
  PROBER,
  GLOBAL_APPLICATION,
];
