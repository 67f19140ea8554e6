/** Monitoring agents, registered before annex or after, see the database clients of a store like those of node_modules. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AGENTS, CLIENTS, PROGRAMS } from '../support/agents.ts';
import { type Databases, hasDatabases, startDatabases } from '../support/databases.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
const listed = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');
/** Outside the application: npm would remove a copy of annex that it does not declare. */
const loader = join(repositoryRoot, 'loader.mjs');
const nodes = listed.map((line) => line.split(' ') as [version: string, path: string]);

describe.skipIf(!hasDatabases)('beside an agent', () => {
  let databases: Databases;
  let sandbox: Sandbox;

  beforeAll(async () => {
    databases = await startDatabases();
    sandbox = await createSandbox();
    const env = readMachineEnvironment();
    const features = Object.fromEntries(
      Object.entries(CLIENTS).map(([name, range]) => [
        name,
        { packages: { [name]: range }, conflicts: 'nest' },
      ]),
    );
    sandbox.setCore({ features });
    const agents = Object.values(AGENTS).flatMap(({ packages }) => packages);
    const clients = Object.entries(CLIENTS).map(([name, range]) => `${name}@${range}`);
    sandbox.write('plain/package.json', { private: true, type: 'module' });
    for (const [cwd, packages] of [
      ['app', agents],
      ['plain', [...agents, ...clients]],
    ] as const) {
      const flags = [
        '--no-audit',
        '--no-fund',
        '--no-update-notifier',
        '--no-save',
        '--ignore-scripts',
      ];
      const installed = await sandbox.exec('npm', ['install', ...flags, ...packages], {
        cwd,
        env,
      });
      expect(installed).toMatchObject({ code: 0 });
      for (const [name, { source }] of Object.entries(AGENTS)) {
        sandbox.write(`${cwd}/${name}.mjs`, source);
      }
      for (const [name, source] of Object.entries(PROGRAMS))
        sandbox.write(`${cwd}/${name}`, source);
    }
    const store = { ...env, ANNEX_STORE: sandbox.store, ANNEX_CORE: sandbox.core };
    const installed = await sandbox.annex(['install', '--all'], { env: store });
    expect(installed).toMatchObject({ code: 0 });
  }, 600_000);
  afterAll(async () => {
    databases.close();
    await sandbox.cleanup();
  }, 600_000);

  const run = async (node: string, cwd: string, preloads: string[], main: string) => {
    const flags = ['--no-deprecation', ...preloads.flatMap((preload) => ['--import', preload])];
    const args = [...flags, main, `${databases.postgres}`, `${databases.redis}`];
    const env = {
      ANNEX_STORE: sandbox.store,
      ANNEX_CORE: sandbox.core,
      ANNEX_ALLOW_INSTALLS: '0',
    };
    const { stdout, stderr } = await sandbox.run(args, { node, cwd, env });
    expect(stdout, stderr).not.toBe('');
    return JSON.parse(stdout) as { spans: string[]; methods: Record<string, string[]> };
  };

  describe.each(nodes)('Node %s', (_, node) => {
    test.each(Object.keys(AGENTS))('%s', async (agent) => {
      const preload = `./${agent}.mjs`;
      for (const main of Object.keys(PROGRAMS)) {
        const oracle = await run(node, 'plain', [preload], main);
        const spans = JSON.stringify(oracle);
        expect(spans).toMatch(/pg\.query|Postgres/);
        expect(spans).toMatch(/redis/i);
        const before = await run(node, 'app', [preload, loader], main);
        const after = await run(node, 'app', [loader, preload], main);
        expect(after, main).toEqual(before);
        // dd-trace finds the main file of a required package with Module._findPath, which calls no hook.
        const isBlind = agent === 'dd-trace' && main === 'main.cjs';
        const { methods: _, ...seen } = oracle;
        if (isBlind) expect(before, main).toMatchObject(seen);
        else expect(before, main).toEqual(oracle);
      }
    });
  });
});
