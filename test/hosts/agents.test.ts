/** Monitoring agents, before annex or after it, see the database clients of a store like those of node_modules. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AGENTS } from '../data/agents.ts';
import { CLIENTS, PROGRAMS } from '../data/clients.ts';
import { listStarts, order } from '../support/agent.ts';
import { type Databases, hasDatabases, startDatabases } from '../support/databases.ts';
import { readMachineEnvironment } from '../support/machine.ts';
import { repositoryRoot } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const script = join(repositoryRoot, 'scripts', 'nodes.mjs');
const listed = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim().split('\n');
const nodes = listed.map((line) => line.split(' ') as [version: string, path: string]);

/** Files of the application by name. */
const files: Record<string, string> = Object.assign(
  { ...PROGRAMS },
  ...Object.entries(AGENTS).map(([name, agent]) => ({
    ...agent.files,
    ...listStarts(agent),
    [`${name}.record.mjs`]: agent.record,
  })),
);

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
      for (const [name, text] of Object.entries(files)) sandbox.write(`${cwd}/${name}`, text);
    }
    const store = { ...env, ANNEX_STORE: sandbox.store, ANNEX_CORE: sandbox.core };
    const installed = await sandbox.annex(['install', '--all'], { env: store });
    expect(installed).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    databases.close();
    await sandbox.cleanup();
  });

  const run = async (node: string, cwd: string, agent: string, args: string[]) => {
    const ports = [`${databases.postgres}`, `${databases.redis}`];
    const env = {
      ...AGENTS[agent]?.env,
      AGENT: agent,
      ANNEX_STORE: sandbox.store,
      ANNEX_CORE: sandbox.core,
      ANNEX_ALLOW_INSTALLS: '0',
    };
    const { stdout, stderr } = await sandbox.run(['--no-deprecation', ...args, ...ports], {
      node,
      cwd,
      env,
    });
    const line = stdout.split('\n').findLast((text) => text.startsWith('{')) ?? '';
    expect(line, stdout + stderr).not.toBe('');
    return JSON.parse(line) as { spans: string[]; methods: Record<string, string[]> };
  };

  describe.each(nodes)('Node %s', (version, node) => {
    const isNewest = version === nodes.at(-1)?.[0];

    describe.each(Object.entries(AGENTS))('%s', (agent, { ways }) => {
      const some = Object.entries(ways).filter((_, index) => isNewest || index === 0);
      test.each(some)('%s', async (_, way) => {
        for (const main of way.mains) {
          const { plain, annexFirst, annexLast } = order(way, main);
          const oracle = await run(node, 'plain', agent, plain);
          expect(oracle.spans.join()).toMatch(/pg\.query|Postgres|select/);
          expect(oracle.spans.join()).toMatch(/redis/i);
          const before = await run(node, 'app', agent, annexLast);
          const after = await run(node, 'app', agent, annexFirst);
          expect(after, main).toEqual(before);
          // dd-trace finds the main file of a required package with Module._findPath, which calls no hook.
          const isBlind = agent === 'dd-trace' && main === 'main.cjs';
          const { methods: __, ...seen } = oracle;
          if (isBlind) expect(before, main).toMatchObject(seen);
          else expect(before, main).toEqual(oracle);
        }
      });
    });
  });
});
