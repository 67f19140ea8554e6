/** Threads and processes that a program starts, for each form of the preload. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { repositoryRoot } from '../support/package.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';

/** Report of one thread or process: the loader, the stores, and the results of import and require. */
const PROBE = `
const report = async (require) => {
  const attempt = async (ask) => {
    try { return (await ask()).marker; } catch ({ code }) { return code; }
  };
  const { status } = await import('annex');
  const { loader, stores, features } = status();
  return {
    loader,
    stores,
    refusal: features.find(({ feature }) => feature === 'absent')?.refusal?.code,
    imported: await attempt(() => import('esm-only')),
    required: await attempt(() => require('cjs-only')),
    absent: await attempt(() => import('absent')),
  };
};`;

const PROBE_FILE = `
import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
${PROBE}
const seen = await report(createRequire(import.meta.url));
if (parentPort !== null) parentPort.postMessage(seen);
else if (process.send !== undefined) process.send(seen, () => process.disconnect());
else console.log(JSON.stringify(seen));`;

const PROBE_EVAL = `${PROBE}
report(require).then((seen) => require('node:worker_threads').parentPort.postMessage(seen));`;

const HUB = `
import { fork, spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
const url = new URL('probe.mjs', import.meta.url);
const file = fileURLToPath(url);
const hear = async (emitter) => (await once(emitter, 'message'))[0];
const ways = {
  'Worker(file)': () => hear(new Worker(url)),
  'Worker, env {}': () => hear(new Worker(url, { env: {} })),
  'Worker, execArgv []': () => hear(new Worker(url, { execArgv: [] })),
  'Worker, eval': () => hear(new Worker(${JSON.stringify(PROBE_EVAL)}, { eval: true })),
  fork: () => hear(fork(file)),
  'fork, execArgv []': () => hear(fork(file, { execArgv: [] })),
  'spawn(node)': async () => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    return JSON.parse(await text(child.stdout));
  },
  cluster: () => {
    cluster.setupPrimary({ exec: file });
    return hear(cluster.fork());
  },
};
const seen = await Promise.all(Object.entries(ways).map(async ([way, ask]) => [way, await ask()]));
console.log(JSON.stringify(Object.fromEntries(seen)));`;

/** Counts all hooks that a thread registers; preloaded before annex. */
const COUNTER = `
const Module = require('node:module');
const counts = (globalThis.counts = { require: 0, import: 0 });
let resolveFilename = Module._resolveFilename;
Object.defineProperty(Module, '_resolveFilename', {
  get: () => resolveFilename,
  set: (value) => { counts.require++; resolveFilename = value; },
});
for (const name of ['register', 'registerHooks']) {
  const original = Module[name];
  if (original === undefined) continue;
  // The load hook is registered separately, on the first use of an entry.
  Module[name] = (...args) => { if (!args[0].load) counts.import++; return original(...args); };
}
Module.syncBuiltinESMExports();`;

const COUNTED = `
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
await import('annex/register');
const { marker } = await import('esm-only');
if (isMainThread) {
  const { counts } = globalThis;
  new Worker(new URL(import.meta.url)).on('message', (worker) => {
    console.log(JSON.stringify({ marker, counts, worker }));
  });
} else parentPort.postMessage(globalThis.counts);`;

/** How the preload spreads, as measured without annex; one column each. */
const COLUMNS = [
  '--import',
  '--require',
  'NODE_OPTIONS --import',
  'NODE_OPTIONS --require',
] as const;
const SPREAD: Record<string, readonly [boolean, boolean, boolean, boolean]> = {
  'Worker(file)': [true, true, true, true],
  'Worker, env {}': [true, true, false, false],
  'Worker, execArgv []': [false, false, true, true],
  'Worker, eval': [false, true, false, true],
  fork: [true, true, true, true],
  'fork, execArgv []': [false, false, true, true],
  'spawn(node)': [false, false, true, true],
  cluster: [true, true, true, true],
};

describe.each(nodes)('$label', ({ path: node, major }) => {
  let sandbox: Sandbox;
  const kind = major >= 22 ? 'sync' : 'off-thread';

  beforeAll(async () => {
    sandbox = await createSandbox();
    sandbox.setCore({ features: { 'esm-only': '^1.0.0', 'cjs-only': '^1.0.0', absent: '*' } });
    sandbox.write('app/hub.mjs', HUB);
    sandbox.write('app/probe.mjs', PROBE_FILE);
    for (const pkg of [
      esmPackage('esm-only', '1.0.0', MARKER),
      cjsPackage('cjs-only', '1.0.0', MARKER),
    ]) {
      sandbox.plantEntry({ feature: pkg.name, packages: [pkg], specs: { [pkg.name]: '^1.0.0' } });
    }
  });

  test.each(COLUMNS.map((column, at) => [column, at] as const))(
    'preload by %s',
    async (column, at) => {
      const [flag = '', option] = column.split(' ').reverse();
      const { loader, store } = sandbox;
      const env = {
        ANNEX_STORE: store,
        ANNEX_ALLOW_INSTALLS: '0',
        ANNEX_LOG: 'error',
        ...(option !== undefined && { NODE_OPTIONS: `${flag}=${loader}` }),
      };
      const flags = option === undefined ? [flag, loader] : [];
      const { code, stderr, stdout } = await sandbox.run([...flags, 'hub.mjs'], { node, env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const expected = Object.entries(SPREAD).map(([way, row]) => [
        way,
        {
          loader: row[at] ? kind : 'inactive',
          stores: [store],
          refusal: 'ANNEX_DENIED',
          imported: row[at] ? MARKER : 'ERR_MODULE_NOT_FOUND',
          required: row[at] ? MARKER : 'MODULE_NOT_FOUND',
          absent: 'ERR_MODULE_NOT_FOUND',
        },
      ]);
      expect(JSON.parse(stdout)).toEqual(Object.fromEntries(expected));
    },
  );

  test('a loader that is named twice, by two copies of annex, or imported as well is registered once per thread', async () => {
    const { loader, store } = sandbox;
    sandbox.write('app/counter.cjs', COUNTER);
    sandbox.write('app/counted.mjs', COUNTED);
    const copy = join(sandbox.root, 'copy', 'annex');
    for (const name of ['dist', 'loader.mjs', 'package.json']) {
      cpSync(join(repositoryRoot, name), join(copy, name), { recursive: true });
    }
    const other = join(copy, 'loader.mjs');
    const counter = `--require=${join(sandbox.core, 'counter.cjs')}`;
    const starts: [options: string, flags: string[]][] = [
      ['', ['--import', loader]],
      [`--import=${loader}`, ['--import', loader]],
      [`--require=${loader}`, ['--require', loader]],
      [`--require=${loader}`, ['--import', loader]],
      ['', ['--require', loader, '--import', loader]],
      [`--import=${other}`, ['--import', loader]],
      ['', ['--require', loader, '--import', other]],
    ];
    for (const [options, flags] of starts) {
      const env = { ANNEX_STORE: store, NODE_OPTIONS: `${counter} ${options}` };
      const run = await sandbox.run([...flags, 'counted.mjs'], { node, env });
      expect({ ...run, options, flags }).toMatchObject({ code: 0, stderr: '' });
      const once = { require: 1, import: 1 };
      const seen: unknown = JSON.parse(run.stdout);
      expect({ options, flags, seen }).toEqual({
        options,
        flags,
        seen: { marker: MARKER, counts: once, worker: once },
      });
    }
  });
});

/** Starts threads and processes that all miss the same feature at the same time. */
const CROWD = `
import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
const url = new URL('member.mjs', import.meta.url);
cluster.setupPrimary({ exec: fileURLToPath(url) });
const members = [new Worker(url), new Worker(url, { env: {} }), fork(url), fork(url), cluster.fork()];
const seen = await Promise.all(members.map(async (member) => (await once(member, 'message'))[0]));
const { marker } = await import('needed');
console.log(JSON.stringify([...seen, marker]));`;

const MEMBER = `
import { parentPort } from 'node:worker_threads';
const seen = await import('needed').then(({ marker }) => marker, ({ message }) => message);
if (parentPort !== null) parentPort.postMessage(seen);
else process.send(seen, () => process.disconnect());`;

describe.each(nodes)('$label, nothing installed yet', ({ path: node }) => {
  test('workers, forks and a cluster worker that miss one feature at once make one install', async () => {
    const registry = await startRegistry([esmPackage('needed', '1.0.0', MARKER)]);
    const sandbox = await createSandbox({ registry });
    sandbox.setCore({ features: { needed: '*' } });
    sandbox.write('app/crowd.mjs', CROWD);
    sandbox.write('app/member.mjs', MEMBER);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_SEALED: '1' };
    const args = ['--import', sandbox.loader, 'crowd.mjs'];
    const { code, stdout, stderr } = await sandbox.run(args, { node, env });
    expect({ code, seen: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      seen: Array.from({ length: 6 }, () => MARKER),
    });
    expect(stderr.match(/^annex: installing needed /gm)).toHaveLength(1);
    expect(registry.requests.filter((line) => line.endsWith('.tgz'))).toHaveLength(1);
  });
});
