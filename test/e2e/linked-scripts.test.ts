/** An entry script that links out of its entry does not run, although Node follows the link before any hook. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { type NodeUnderTest, nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox } from '../support/sandbox.ts';
import { giveTo, users } from '../support/user.ts';

const print = (marker: string): string => `console.log('${marker}');\n`;

const SCRIPTS = ['bin/a.js', 'bin/b.mjs', 'bin/main/index.js'];

const kit: PackageFixture = {
  name: 'kit',
  version: '1.0.0',
  files: Object.fromEntries(SCRIPTS.map((path) => [path, print('sound')])),
  manifest: { main: './bin/a.js' },
};

/** Starts a worker from a script, by its path or its URL, with the remaining arguments. */
const START = `
const { Worker } = require('node:worker_threads');
const { pathToFileURL } = require('node:url');
const args = process.argv.slice(process.argv.indexOf('worker') + 1);
const [how, script, ...argv] = args;
const worker = new Worker(how === 'URL' ? pathToFileURL(script) : script, { argv });
worker.on('error', ({ code }) => console.log(code));
`;

/** Command lines that run a script, given its path. */
const WAYS: Record<string, (script: string) => string[]> = {
  'an entry script': (script) => [script],
  'a test': (script) => ['--test', script],
  'a worker by its path': (script) => ['start.cjs', 'worker', 'path', script],
  'a worker by its URL, with an argument': (script) => ['start.cjs', 'worker', 'URL', script, 'x'],
  'a worker of --eval': (script) => ['--eval', START, 'worker', 'path', script],
  'a later --import': (script) => ['--import', script, 'own.cjs'],
};

/** Without an extension, and a directory: Node completes the path of a script. */
const COMPLETED = ['bin/a', 'bin/main'];

async function open(node: NodeUnderTest, user: object) {
  const sandbox = await createSandbox({ node: node.path, copyAnnex: true });
  sandbox.setCore({ features: { kit: '^1.0.0' } });
  const specs = { kit: '^1.0.0' };
  const entry = sandbox.plantEntry({ feature: 'kit', packages: [kit], specs });
  const dir = join(entry, 'node_modules/kit');
  sandbox.write('app/start.cjs', START);
  sandbox.write('app/own.cjs', print('own'));
  // Otherwise verification would find the links first.
  const ANNEX_CONFIG = sandbox.write('operator.json', { verify: 'off' });
  const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0', ANNEX_CONFIG };
  /** Links every script to one of a package manager, in an application: neither must make annex inactive. */
  const link = (): void => {
    for (const path of SCRIPTS) {
      rmSync(join(dir, path));
      symlinkSync(sandbox.write(join('volume/npm', path), print('EVIL')), join(dir, path));
    }
    const annex = { features: { other: '*' } };
    sandbox.write('volume/npm/package.json', { name: 'npm', annex });
  };
  /** Runs a command line with the preload, and returns its output. */
  const run = async (flag: string, args: string[]): Promise<string> => {
    const { stdout, stderr } = await sandbox.run([flag, sandbox.loader, ...args], { env, ...user });
    return stdout + stderr;
  };
  const give = (): void => giveTo(user, join(sandbox.store, '..'));
  const runAll = async (): Promise<[name: string, said: string][]> => {
    const all = Object.entries(WAYS).flatMap(([way, toArgs]) =>
      SCRIPTS.slice(0, 2).map((path) => ({ way, path, args: toArgs(join(dir, path)) })),
    );
    const completed = COMPLETED.map((path) => ({ way: '', path, args: [join(dir, path)] }));
    const runs = ['--import', '--require'].flatMap((flag) =>
      [...all, ...completed].map(
        async ({ way, path, args }): Promise<[string, string]> => [
          `${way} ${path} after ${flag}`,
          await run(flag, args),
        ],
      ),
    );
    return Promise.all(runs);
  };
  return { dir, link, give, run, runAll };
}

for (const node of nodes) {
  for (const { who, user } of users) {
    describe(`${node.label}, ${who}`, () => {
      test('a script that is a file of its entry runs', async (context) => {
        const { give, runAll } = await open(node, user);
        give();
        const said = await runAll();
        context.expect(said.filter(([, text]) => !text.includes('sound'))).toEqual([]);
      });

      test('a script that is a link out of its entry is not found', async (context) => {
        const { link, give, runAll } = await open(node, user);
        link();
        give();
        const said = await runAll();
        const isRefused = (text: string): boolean =>
          /MODULE_NOT_FOUND/.test(text) && !text.includes('EVIL');
        context.expect(said.filter(([, text]) => !isRefused(text))).toEqual([]);
      });
    });
  }

  test(`${node.label}: a path that is an argument is not a script`, async (context) => {
    const { dir, link, run } = await open(node, {});
    link();
    const script = join(dir, 'bin/a.js');
    for (const flag of ['--import', '--require']) {
      const own = ['start.cjs', 'worker', 'path', './own.cjs', script];
      context.expect(await run(flag, own)).toBe('own\n');
      context.expect(await run(flag, ['--eval', 'console.log("own")', script])).toBe('own\n');
    }
  });
}
