/** G4: installers that are killed or run out of time: the store is as before, and the next one works. */
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn, writeImporter } from '../support/importer.ts';
import { nodes } from '../support/nodes.ts';
import { findNpm, writeNpm } from '../support/npm.ts';
import { canListProcesses, killAllIn, listProcessesIn } from '../support/processes.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

interface World {
  sandbox: Sandbox;
  registry: Registry;
}

async function open(): Promise<World> {
  const registry = await startRegistry([esmPackage('alpha', '1.0.0', 'alpha')]);
  onTestFinished(() => registry.stop());
  const sandbox = await createSandbox({ registry });
  onTestFinished(() => sandbox.cleanup());
  sandbox.setCore({ features: { alpha: '^1.0.0' } });
  writeImporter(sandbox);
  return { sandbox, registry };
}

/** What a directory of the store holds; nothing when it is not there. */
function list({ store }: Sandbox, name: string): string[] {
  try {
    return readdirSync(join(store, 'v1', name));
  } catch {
    return [];
  }
}

/** Moments of an install, by what can be seen of it from outside. */
const moments: [string, (world: World) => boolean][] = [
  ['the lock is taken', ({ sandbox }) => list(sandbox, 'locks').includes('alpha.lock')],
  ['npm asks for the package', ({ registry }) => registry.requests.length > 0],
  ['npm waits for the tarball', ({ registry }) => registry.requests.length > 1],
  [
    'npm has written its lockfile',
    ({ sandbox }) =>
      list(sandbox, 'staging').some((name) =>
        list(sandbox, `staging/${name}`).includes('package-lock.json'),
      ),
  ],
];

for (const node of nodes) {
  describe.runIf(canListProcesses)(node.label, () => {
    test('killed at any moment: nothing is visible, then the next install stands alone', async () => {
      const killed = moments.map(async ([what, isThen]) => {
        const world = await open();
        const { sandbox, registry } = world;
        registry.fault({ kind: 'slow', ms: 600 }, /\.tgz$/);
        const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
        const run = sandbox.run(['--import', sandbox.loader, 'main.mjs', 'alpha'], options);
        await expect.poll(() => isThen(world), { interval: 5, timeout: 30_000 }).toBe(true);
        await killAllIn(sandbox.root);
        expect((await run).signal, what).toBe('SIGKILL');

        const env = { ...options.env, ANNEX_ALLOW_INSTALLS: '0' };
        const reader = await importIn(sandbox, ['alpha'], { ...options, env });
        expectRefused(reader.imported.alpha, 'ANNEX_DENIED', /ALLOW_INSTALLS/);

        registry.fault(undefined);
        const next = await importIn(sandbox, ['alpha'], options);
        expect(next.imported.alpha, what).toMatchObject({ marker: 'alpha' });
        expect(list(sandbox, 'any'), what).toHaveLength(1);
        for (const name of ['staging', 'locks', 'failures', 'retired']) {
          expect(list(sandbox, name), what).toEqual([]);
        }
        return sandbox.digest(join(sandbox.store, 'v1', 'any'));
      });
      const [first, ...others] = await Promise.all(killed);
      expect(Object.keys(first ?? {})).toContainEqual(
        expect.stringMatching(/alpha\.[0-9a-f]{32}\.0\/node_modules\/alpha\/index\.js$/),
      );
      for (const other of others) expect(other).toEqual(first);
    });

    test.each([
      ['that starts others which hold its output', 'sleep 1000 & sleep 1000'],
      ['that does not listen to reason', 'trap "" TERM INT HUP; while :; do sleep 1000; done'],
      ['that is a wrapper', `${findNpm()} "$@"; exit $?`],
      ['that leaves others behind when it ends', 'sleep 1000 & exit 1'],
    ])('an npm %s: at the time limit all of it ends', async (what, lines) => {
      const { sandbox, registry } = await open();
      registry.fault({ kind: 'hang' });
      const PATH = [writeNpm(sandbox, lines), process.env.PATH].join(delimiter);
      const ANNEX_CONFIG = sandbox.write('operator.json', { timeout: 2 });
      const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG, PATH };
      const { imported, ms } = await importIn(sandbox, ['alpha'], { node: node.path, env });
      if (what.includes('behind')) expect(imported.alpha?.cause?.code).toMatch(/^ANNEX_/);
      else expectRefused(imported.alpha, 'ANNEX_TIMEOUT', /took longer than 2 s/, 'alpha');
      expect(ms).toBeLessThan(8_000);
      await expect.poll(() => listProcessesIn(sandbox.root)).toEqual([]);
      expect(list(sandbox, 'failures')).toEqual(['alpha.json']);
      for (const name of ['staging', 'locks', 'any']) expect(list(sandbox, name)).toEqual([]);
    });
  });
}
