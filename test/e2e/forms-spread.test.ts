/** Where the preload reaches: threads and processes that a program starts, by the place where the preload is named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cjsPackage, esmPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const MARKER = 'from the store';

/** What one thread or process sees: the loader, the stores, and what import and require answer. */
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

interface Seen {
  loader: string;
  stores: string[];
  refusal: string;
  imported: string;
  required: string;
  absent: string;
}

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
  afterAll(() => sandbox.cleanup());

  test.each(COLUMNS.map((column, at) => [column, at] as const))(
    'preload by %s',
    async (column, at) => {
      const [flag = '', option] = column.split(' ').reverse();
      const { loader, store } = sandbox;
      const env = {
        ANNEX_STORE: store,
        ANNEX_ALLOW_INSTALLS: '0',
        ...(option !== undefined && { NODE_OPTIONS: `${flag}=${loader}` }),
      };
      const flags = option === undefined ? [flag, loader] : [];
      const { code, stderr, stdout } = await sandbox.run([...flags, 'hub.mjs'], { node, env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const seen = JSON.parse(stdout) as Record<string, Seen>;
      const isActive = Object.entries(seen).map(([way, { loader: found }]) => [
        way,
        found === kind,
      ]);
      const expected = Object.entries(SPREAD).map(([way, row]) => [way, row[at]]);
      expect(Object.fromEntries(isActive)).toEqual(Object.fromEntries(expected));
      for (const [way, found] of Object.entries(seen)) {
        const answers = {
          imported: found.imported,
          required: found.required,
          absent: found.absent,
        };
        const isReached = SPREAD[way]?.[at] === true;
        expect({ way, ...answers }).toEqual({
          way,
          imported: isReached ? MARKER : 'ERR_MODULE_NOT_FOUND',
          required: isReached ? MARKER : 'MODULE_NOT_FOUND',
          absent: 'ERR_MODULE_NOT_FOUND',
        });
        expect({ way, loader: found.loader }).toEqual({
          way,
          loader: isReached ? kind : 'inactive',
        });
        expect({ way, stores: found.stores }).toEqual({ way, stores: [store] });
        expect({ way, refusal: found.refusal }).toEqual({ way, refusal: 'ANNEX_DENIED' });
      }
    },
  );
});
