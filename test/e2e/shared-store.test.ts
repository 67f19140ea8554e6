/** Two applications on one store: an entry shares the dependencies of the application that runs. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { openWorld } from '../support/world.ts';

const SHARED = { dep: '^1.0.0' };
const annex = { features: { kit: '^1.0.0' } };
const byPath = `
export const { seen } = await import('./index.js');
export const byPath = () => import(new URL('../dep/index.js', import.meta.url));
`;
const kit = dependentPackage('kit', '1.0.0', 'kit', SHARED);
const packages = [
  {
    ...kit,
    files: { ...kit.files, 'paths.js': byPath },
    manifest: { ...kit.manifest, exports: './paths.js' },
  },
  esmPackage('dep', '1.0.0', 'from-registry'),
];

/** Loads the package, also in a worker with the hooks of the process, and its shared package by path. */
const PROGRAM = `
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
const { seen, byPath } = await import('kit');
const path = await byPath().then(({ marker }) => marker, ({ code }) => code);
if (!isMainThread) parentPort.postMessage({ ...seen, path });
else {
  const worker = new Worker(new URL(import.meta.url));
  worker.once('message', (inWorker) => console.log(JSON.stringify({ main: { ...seen, path }, inWorker })));
}`;

describe.concurrent.each(nodes)('$label', (node) => {
  test('each application gets its own copy, in either order of installs', async () => {
    const { sandbox } = await openWorld({ packages, annex });
    const roots = { app: sandbox.core, other: join(sandbox.root, 'other') };
    for (const name of ['app', 'other']) {
      const manifest = { name, version: '1.0.0', annex, dependencies: SHARED };
      sandbox.write(`${name}/package.json`, manifest);
      sandbox.write(`${name}/program.mjs`, PROGRAM);
      sandbox.addPackage(`${name}/node_modules`, esmPackage('dep', '1.0.0', `from-${name}`));
    }
    const optionsOf = (name: 'app' | 'other') => ({
      node: node.path,
      cwd: name,
      env: { ANNEX_STORE: sandbox.store, ANNEX_CORE: roots[name] },
    });
    const install = async (name: 'app' | 'other') => {
      const { stdout } = await sandbox.annex(['install', 'kit', '--json'], optionsOf(name));
      const [{ dir }] = JSON.parse(stdout).results;
      return readlinkSync(join(dir, 'node_modules/dep'));
    };
    const load = async (name: 'app' | 'other') => {
      const args = ['--import', sandbox.loader, 'program.mjs'];
      const { stdout, stderr } = await sandbox.run(args, optionsOf(name));
      expect(stdout, stderr).not.toBe('');
      return JSON.parse(stdout);
    };
    for (const last of ['app', 'other'] as const) {
      expect(await install(last)).toBe(join(roots[last], 'node_modules/dep'));
      for (const name of ['app', 'other'] as const) {
        const found = await load(name);
        const own = `from-${name}`;
        expect([found.main.dep, found.inWorker.dep]).toEqual([own, own]);
        const path = name === last ? own : 'ERR_MODULE_NOT_FOUND';
        expect([found.main.path, found.inWorker.path]).toEqual([path, path]);
      }
    }
  });
});
