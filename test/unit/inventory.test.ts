/** What counts as shipped by core: trees as npm, pnpm and yarn make them, and trees that are odd. */
import { mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readInventory } from '../../src/inventory.ts';
import { type PackageFixture, repositoryRoot } from '../support/package.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const pkg = (name: string, version: string, manifest: object = {}): PackageFixture => ({
  name,
  version,
  files: { 'index.js': '' },
  manifest: { ...manifest },
});

/** What the registry has. */
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
afterAll(() => registry.stop());

async function open(): Promise<Sandbox> {
  const sandbox = await createSandbox({ registry, linkAnnex: false });
  onTestFinished(() => sandbox.cleanup());
  return sandbox;
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

/** Name to version; what the core itself asks for has a star, and peers stand behind it. */
const read = (root: string): Record<string, string> =>
  Object.fromEntries(
    [...readInventory(realpathSync(root))].map(([name, { version, isDeclared, peers }]) => [
      name,
      [version + (isDeclared ? '*' : ''), ...peers].join(' '),
    ]),
  );

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

/** The hoisted rest is seen by the root under npm alone. */
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
  test('a workspace ships what is hoisted above it, other workspaces included', async () => {
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

  test('--install-strategy=linked ships what the root has links to', async () => {
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

describe('a tree that is odd', () => {
  const plant = async (manifest: object, packages: [string, PackageFixture][]) => {
    const sandbox = await open();
    sandbox.setCore({ features: {} }, manifest);
    for (const [place, one] of packages) sandbox.addPackage(place, one);
    return sandbox;
  };

  test('yarn: what is hoisted counts as far as production needs it', async () => {
    const sandbox = await plant(
      { dependencies: { alpha: '^1.0.0' }, devDependencies: { tool: '*' } },
      [
        ['app/node_modules', pkg('alpha', '1.0.0', { dependencies: { beta: '^1.0.0' } })],
        ['app/node_modules', pkg('tool', '1.0.0', { dependencies: { beta: '^2.0.0' } })],
        ['app/node_modules', pkg('beta', '1.0.0')],
        ['app/node_modules/tool/node_modules', pkg('beta', '2.0.0')],
        ['app/node_modules', pkg('stray', '1.0.0')],
      ],
    );
    sandbox.write('app/node_modules/.yarn-state.yml', '__metadata:\n  version: 1\n');
    sandbox.write('app/node_modules/.yarn-integrity', {});
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*', beta: '1.0.0' });
  });

  test('a nested copy is not what the root sees', async () => {
    const sandbox = await plant(
      { dependencies: { alpha: '^1.0.0' }, devDependencies: { beta: '2' } },
      [
        ['app/node_modules', pkg('alpha', '1.0.0', { dependencies: { beta: '^1.0.0' } })],
        ['app/node_modules', pkg('beta', '2.0.0')],
        ['app/node_modules/alpha/node_modules', pkg('beta', '1.0.0')],
      ],
    );
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('links that lead nowhere or round in circles are not shipped', async () => {
    const sandbox = await plant({ dependencies: { gone: '*', round: '*', alpha: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0')],
    ]);
    symlinkSync('../nowhere', join(sandbox.core, 'node_modules/gone'));
    symlinkSync('round', join(sandbox.core, 'node_modules/round'));
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('packages are found where their links lead', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*' } }, [
      [
        'elsewhere/node_modules',
        pkg('alpha', '1.0.0', { dependencies: { beta: '*', gamma: '*' } }),
      ],
      ['elsewhere/node_modules', pkg('beta', '2.0.0')],
      ['app/node_modules', pkg('gamma', '9.0.0')],
    ]);
    symlinkSync('../../elsewhere/node_modules/alpha', join(sandbox.core, 'node_modules/alpha'));
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test.each([
    ['no package.json', undefined],
    ['a package.json that does not parse', '{'],
    ['a package.json that is no object', '[null]'],
    ['a null in a package.json', 'null'],
  ])('%s: there is nothing to share', async (_, text) => {
    const sandbox = await plant({ dependencies: { broken: '*', alpha: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0')],
    ]);
    mkdirSync(join(sandbox.core, 'node_modules/broken'));
    if (text !== undefined) sandbox.write('app/node_modules/broken/package.json', text);
    const { broken = '*', ...rest } = read(sandbox.core);
    expect({ broken, rest }).toEqual({ broken: '*', rest: { alpha: '1.0.0*' } });
  });

  test.each([
    ['no version', undefined],
    ['a number', 1],
    ['too short', '1.0'],
    ['a range', '^1.0.0'],
    ['a word', 'local'],
    ['nothing', ''],
  ])('a version that is none (%s) is shared with nobody', async (_, version) => {
    const sandbox = await plant({ dependencies: { alpha: '*' } }, []);
    sandbox.write('app/node_modules/alpha/package.json', { name: 'alpha', version });
    expect(read(sandbox.core)).toEqual({ alpha: '*' });
  });

  test('lists that are no lists are empty', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*' }, optionalDependencies: null }, [
      [
        'app/node_modules',
        pkg('alpha', '1.0.0', {
          dependencies: null,
          peerDependencies: 7,
          peerDependenciesMeta: { x: null },
          optionalDependencies: [],
        }),
      ],
    ]);
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('names that lead out of node_modules lead nowhere', async () => {
    const sandbox = await plant(
      { dependencies: { '../../outside': '*', '': '*', '.': '*', '/etc': '*', alpha: '*' } },
      [['app/node_modules', pkg('alpha', '1.0.0')]],
    );
    sandbox.write('outside/package.json', { name: '../../outside', version: '1.0.0' });
    sandbox.write('app/node_modules/package.json', { name: '.', version: '1.0.0' });
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('a node_modules directly in node_modules is looked at as little as by Node', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0', { dependencies: { beta: '*' } })],
      ['app/node_modules/node_modules', pkg('beta', '1.0.0')],
      ['node_modules', pkg('beta', '2.0.0')],
    ]);
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*', beta: '2.0.0' });
  });

  test('a chain of five hundred packages is walked to its end', async () => {
    const chain = Array.from({ length: 500 }, (_, at) =>
      pkg(`link-${at}`, '1.0.0', { dependencies: { [`link-${at + 1}`]: '*' } }),
    );
    const sandbox = await plant(
      { dependencies: { 'link-0': '*' } },
      chain.map((one) => ['app/node_modules', one]),
    );
    expect(readInventory(sandbox.core).size).toBe(500);
  });

  test('the store is never looked at', async () => {
    const sandbox = await plant({ dependencies: { alpha: '*', beta: '*' } }, [
      ['app/node_modules', pkg('alpha', '1.0.0')],
    ]);
    const stores = [sandbox.store, join(sandbox.core, 'store')];
    for (const store of stores) {
      const [specs, packages] = [{ beta: '*' }, [pkg('beta', '1.0.0')] as const];
      sandbox.plantEntry({ feature: 'beta', packages, specs, store });
    }
    process.env.ANNEX_STORE = stores.join(':');
    onTestFinished(() => {
      delete process.env.ANNEX_STORE;
    });
    expect(read(sandbox.core)).toEqual({ alpha: '1.0.0*' });
  });

  test('no package.json at all ships nothing', async () => {
    const sandbox = await open();
    rmSync(join(sandbox.core, 'package.json'));
    expect(read(sandbox.core)).toEqual({});
  });
});
