/** In threads without hooks a link leads to a shared dependency; where hooks run, they resolve it. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { outerNodes } from '../support/nodes.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { asPlainUser, giveTo } from '../support/user.ts';
import { openWorld } from '../support/world.ts';

const SHARED = { dep: '^1.0.0', '@acme/dep': '^1.0.0' };
const copies = (marker: string) =>
  Object.keys(SHARED).map((name) => esmPackage(name, '1.0.0', marker));
const packages = [dependentPackage('kit', '1.0.0', 'kit', SHARED), ...copies('from-registry')];
const FROM_CORE = { dep: 'from-core', '@acme/dep': 'from-core' };

/** Loads the package by its path in a worker, an eval worker and a fork, none of which has annex. */
const PROGRAM = `
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
const url = import.meta.resolve('kit');
const own = (await import('kit')).seen;
if (process.argv[2] === 'own') {
  console.log(JSON.stringify({ own }));
  process.exit();
}
const message = (thread) => new Promise((resolve) => {
  thread.once('message', resolve);
  thread.once('error', (error) => resolve(String(error)));
  thread.once('exit', (code) => resolve('exit ' + code));
});
const code = "import(" + JSON.stringify(url) + ").then(({ seen }) => require('node:worker_threads').parentPort.postMessage(seen))";
const bare = new URL('./bare.mjs', import.meta.url);
const worker = await message(new Worker(bare, { execArgv: [], workerData: url }));
const evaluated = await message(new Worker(code, { eval: true, execArgv: [] }));
const forked = await message(fork(fileURLToPath(bare), [url], { execArgv: [], env: {} }));
console.log(JSON.stringify({ own, worker, evaluated, forked }));
`;
const BARE = `
import { parentPort, workerData } from 'node:worker_threads';
const { seen } = await import(workerData ?? process.argv[2]);
if (parentPort) parentPort.postMessage(seen);
else process.send(seen);
`;

async function open() {
  const annex = { features: { kit: '^1.0.0' } };
  const { sandbox } = await openWorld({ packages, annex, copyAnnex: true });
  sandbox.setCore(annex, { dependencies: SHARED });
  for (const copy of copies('from-core')) {
    sandbox.addPackage(join(sandbox.core, 'node_modules'), copy);
  }
  sandbox.write('app/threads.mjs', PROGRAM);
  sandbox.write('app/bare.mjs', BARE);
  return sandbox;
}

const linksOf = ({ core }: Sandbox, entry: string) =>
  Object.keys(SHARED).map((name) => ({
    path: join(entry, 'node_modules', name),
    target: join(core, 'node_modules', name),
  }));

describe.concurrent.each(outerNodes)('$label', (node) => {
  test.for(['root', 'plain'] as const)(
    'a link is made, used without hooks, and repaired, as %s',
    async (who) => {
      const sandbox = await open();
      const user = who === 'plain' ? asPlainUser : {};
      giveTo(user, join(sandbox.store, '..'));
      const options = { node: node.path, env: { ANNEX_STORE: sandbox.store }, ...user };
      const installed = await sandbox.annex(['install', 'kit', '--json'], options);
      const entry: string = JSON.parse(installed.stdout).results[0].dir;
      const links = linksOf(sandbox, entry);
      for (const { path, target } of links) expect(readlinkSync(path)).toBe(target);
      for (const dir of ['node_modules', 'node_modules/@acme']) {
        expect(lstatSync(join(entry, dir)).mode & 0o777).toBe(0o555);
      }
      const load = async (...args: string[]) => {
        const { stdout, stderr } = await sandbox.run(
          ['--import', sandbox.loader, 'threads.mjs', ...args],
          options,
        );
        expect(stderr).toBe('');
        return JSON.parse(stdout);
      };
      const all = { own: FROM_CORE, worker: FROM_CORE, evaluated: FROM_CORE, forked: FROM_CORE };
      expect(await load()).toEqual(all);

      const evil = join(sandbox.root, 'evil');
      mkdirSync(evil);
      writeFileSync(join(evil, 'index.js'), "exports.marker = 'evil';");
      for (const spoil of [
        (path: string) => unlinkSync(path),
        (path: string) => {
          unlinkSync(path);
          symlinkSync(evil, path);
        },
      ]) {
        for (const dir of ['node_modules', 'node_modules/@acme'])
          chmodSync(join(entry, dir), 0o755);
        for (const { path } of links) spoil(path);
        const verified = await sandbox.annex(['verify'], options);
        expect(verified).toMatchObject({ code: 0, stderr: '' });
        expect(await load('own')).toEqual({ own: FROM_CORE });
        const again = await sandbox.annex(['install', 'kit', '--json'], options);
        expect(JSON.parse(again.stdout).results).toMatchObject([
          { outcome: 'present', dir: entry },
        ]);
        for (const { path, target } of links) expect(readlinkSync(path)).toBe(target);
      }
      expect(await load()).toEqual(all);
    },
  );
});
