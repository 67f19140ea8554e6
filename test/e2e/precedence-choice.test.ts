/** A thread keeps the entry that it first used: a newer entry never mixes into its module graph. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dualPackage } from '../support/fixtures.ts';
import { nodes } from '../support/nodes.ts';
import type { PackageFixture } from '../support/package.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const specs = { 'pair-one': '^1.0.0', '@pair/two': '^1.0.0' };

/** Uses the feature in one way, publishes a newer entry, then uses it in every way. */
const PROGRAM = `import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { fork } from 'node:child_process';
import { use } from './deep/use.mjs';
const require = createRequire(import.meta.url);
const ways = {
  import: async (name) => (await import(name)).marker,
  require: (name) => require(name).marker,
  'import.meta.resolve': (name) => import.meta.resolve(name),
  'require.resolve': (name) => require.resolve(name),
};
const [first, newer, store] = process.argv.slice(2);
const seen = {};
if (!isMainThread) parentPort.postMessage(await ways.import('pair-one'));
else if (process.send) process.send(await ways.import('pair-one'));
else {
  seen.first = await ways[first]('pair-one');
  cpSync(newer, store, { recursive: true });
  for (const [way, ask] of Object.entries(ways)) {
    for (const name of ['pair-one', '@pair/two']) seen[way + ' ' + name] = await ask(name);
  }
  Object.assign(seen, await use());
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  seen.worker = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
  const child = fork(process.argv[1], process.argv.slice(2));
  seen.child = await new Promise((resolve) => child.on('message', resolve));
  console.log(JSON.stringify(seen));
}
`;
/** The same from another directory, for which no result is cached yet. */
const USE = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
export const use = async () => ({
  'deep require': require('@pair/two').marker,
  'deep require pair-one': require('pair-one').marker,
  'deep import': (await import('@pair/two')).marker,
  'deep import pair-one': (await import('pair-one')).marker,
});
`;

async function openSandbox(): Promise<{ sandbox: Sandbox; newer: string }> {
  const sandbox = await createSandbox();
  sandbox.setCore({ features: { pair: { packages: specs } } });
  sandbox.write('app/main.mjs', PROGRAM);
  sandbox.write('app/deep/use.mjs', USE);
  const make = (version: string, marker: string): [PackageFixture, PackageFixture] => [
    dualPackage('pair-one', version, marker),
    dualPackage('@pair/two', version, marker),
  ];
  sandbox.plantEntry({ feature: 'pair', packages: make('1.0.0', 'old'), specs });
  const newer = join(sandbox.root, 'newer');
  sandbox.plantEntry({ feature: 'pair', packages: make('1.1.0', 'new'), specs, store: newer });
  return { sandbox, newer };
}

describe.each(nodes)('$label', (node) => {
  const ways = ['import', 'require', 'import.meta.resolve', 'require.resolve'];
  test.for(ways)(
    'the entry first used by %s stays, and other threads take the newer one',
    async (first) => {
      const { sandbox, newer } = await openSandbox();
      const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
      const args = ['--import', sandbox.loader, 'main.mjs', first, newer, sandbox.store];
      const { stdout, stderr } = await sandbox.run(args, { node: node.path, env });
      expect(stderr).toBe('');
      const { worker, child, ...seen } = JSON.parse(stdout) as Record<string, string>;
      expect([worker, child]).toEqual(['new', 'new']);
      const entries = Object.values(seen).map((value) => {
        const [, dir] = /\/v1\/any\/([^/]+)\//.exec(value) ?? [];
        return dir === undefined ? value : 'path';
      });
      expect(new Set(entries)).toEqual(new Set(['old', 'path']));
      const dirs = Object.values(seen).flatMap(
        (value) => /\/(pair\.[^/]+)\//.exec(value)?.[1] ?? [],
      );
      expect(dirs.length).toBeGreaterThanOrEqual(4);
      expect(new Set(dirs).size).toBe(1);
    },
  );
});
