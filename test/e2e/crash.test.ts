/** G4: installers that are killed or time out leave the store unchanged, and the next install succeeds. */
import { chmodSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { expectRefused, importIn } from '../support/importer.ts';
import { outerNodes } from '../support/nodes.ts';
import { findNpm, writeNpm } from '../support/npm.ts';
import { canListProcesses, killAllIn, listProcessesIn } from '../support/processes.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { giveTo, isRoot } from '../support/user.ts';
import { openWorld, type World } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha')];

const open = (options: { copyAnnex?: boolean } = {}) =>
  openWorld({ packages, annex: { features: { alpha: '^1.0.0' } }, ...options });

/** Names in a directory of the store; empty when it is missing. */
function list({ store }: Sandbox, name: string): string[] {
  try {
    return readdirSync(join(store, 'v1', name));
  } catch {
    return [];
  }
}

/** Moments of an install that can be detected from outside. */
const moments: [string, (world: World) => boolean][] = [
  ['the lock is taken', ({ sandbox }) => list(sandbox, 'locks').includes('alpha.lock')],
  ['npm asks for the package', ({ registry }) => registry.requests.length > 0],
  ['npm waits for the tarball', ({ registry }) => registry.requests.length > 1],
  [
    'npm has written its lockfile',
    ({ sandbox }) =>
      list(sandbox, 'any').length > 0 ||
      list(sandbox, 'staging').some((name) =>
        list(sandbox, `staging/${name}`).includes('package-lock.json'),
      ),
  ],
];

describe.runIf(canListProcesses).concurrent.each(outerNodes)(
  'G4: all or nothing, $label',
  (node) => {
    test('killed at any moment: the entry is visible as a whole or not at all, and finally there is one entry', async ({
      expect,
    }) => {
      const killed = moments.map(async ([what, isThen]) => {
        const world = await open();
        const { sandbox, registry } = world;
        // npm writes its lockfile when it has the tarball.
        const isLast = what === moments.at(-1)?.[0];
        registry.fault(isLast ? { kind: 'slow', ms: 600 } : { kind: 'hang' }, /\.tgz$/);
        const options = { node: node.path, env: { ANNEX_STORE: sandbox.store } };
        const run = sandbox.run(['--import', sandbox.loader, 'main.mjs', 'alpha'], options);
        await expect.poll(() => isThen(world)).toBe(true);
        await killAllIn(sandbox.root);
        const ended = await run;
        expect(['SIGKILL', 0], what).toContain(ended.signal ?? ended.code);

        const env = { ...options.env, ANNEX_ALLOW_INSTALLS: '0' };
        const reader = await importIn(sandbox, ['alpha'], { ...options, env });
        // The last moment is short: on a busy machine the kill comes late, after the entry is complete.
        if (list(sandbox, 'any').length > 0) expect(reader.imported.alpha?.marker).toBe('alpha');
        else expectRefused(reader.imported.alpha, 'ANNEX_DENIED', /ALLOW_INSTALLS/);

        registry.fault(undefined);
        const next = await importIn(sandbox, ['alpha'], options);
        expect(next.imported.alpha, what).toMatchObject({ marker: 'alpha' });
        expect(list(sandbox, 'any'), what).toHaveLength(1);
        // An install sweeps; a process that finds the entry writes nothing.
        const swept = next.lines.length > 0 ? ['staging', 'locks', 'failures', 'retired'] : [];
        for (const name of swept) expect(list(sandbox, name), what).toEqual([]);
        return sandbox.digest(join(sandbox.store, 'v1', 'any'));
      });
      const [first, ...others] = await Promise.all(killed);
      expect(Object.keys(first ?? {})).toContainEqual(
        expect.stringMatching(/alpha\.[0-9a-f]{32}\.0\/node_modules\/alpha\/index\.js$/),
      );
      for (const other of others) expect(other).toEqual(first);
    });

    test.runIf(isRoot)(
      'killed in a store of a group: another user of the group takes over',
      async ({ expect }) => {
        const { sandbox, registry } = await open({ copyAnnex: true });
        const volume = dirname(sandbox.store);
        giveTo({ uid: 0, gid: 2000 }, volume);
        chmodSync(volume, 0o2775);
        registry.fault({ kind: 'hang' }, /\.tgz$/);
        const as = (uid: number) => ({
          node: node.path,
          env: { ANNEX_STORE: volume },
          uid,
          gid: 2000,
        });
        const run = sandbox.run(['--import', sandbox.loader, 'main.mjs', 'alpha'], as(5001));
        await expect.poll(() => registry.requests.length).toBeGreaterThan(1);
        await killAllIn(sandbox.root);
        expect((await run).signal).toBe('SIGKILL');
        registry.fault(undefined);
        const next = await importIn(sandbox, ['alpha'], as(5002));
        expect(next.imported.alpha).toMatchObject({ marker: 'alpha' });
        expect(next.stderr).not.toContain('waiting for');
        expect(readdirSync(join(volume, 'v1', 'any'))).toHaveLength(1);
        expect(readdirSync(join(volume, 'v1', 'locks'))).toEqual([]);
      },
    );

    test('an npm that leaves processes behind: the install succeeds, and they are ended', async ({
      expect,
    }) => {
      const { sandbox } = await open();
      const npm = writeNpm(sandbox, `sleep 1000 & exec ${findNpm()} "$@"`);
      const PATH = [npm, process.env.PATH].join(delimiter);
      const env = { ANNEX_STORE: sandbox.store, PATH };
      const { imported, lines } = await importIn(sandbox, ['alpha'], { node: node.path, env });
      expect(imported.alpha).toMatchObject({ marker: 'alpha' });
      expect(lines).toHaveLength(2);
      await expect.poll(() => listProcessesIn(sandbox.root)).toEqual([]);
    });

    const LATE = 'ANNEX_TIMEOUT';
    test.for([
      ['starts others which hold its output', 'sleep 1000 & sleep 1000', LATE],
      ['does not listen to reason', 'trap "" TERM INT HUP; while :; do sleep 1000; done', LATE],
      ['is a wrapper', `${findNpm()} "$@"; exit $?`, LATE],
      ['leaves others behind when it fails', 'sleep 1000 & exit 1', 'ANNEX_INSTALL_FAILED'],
    ] as const)(
      'an npm that %s: all its processes end by the time limit',
      async ([, lines, code], { expect }) => {
        const { sandbox, registry } = await open();
        registry.fault({ kind: 'hang' });
        const PATH = [writeNpm(sandbox, lines), process.env.PATH].join(delimiter);
        const ANNEX_CONFIG = sandbox.write('operator.json', { timeout: 2 });
        const env = { ANNEX_STORE: sandbox.store, ANNEX_CONFIG, PATH };
        const { imported } = await importIn(sandbox, ['alpha'], { node: node.path, env });
        const reason = code === LATE ? /took longer than 2 s/ : /exit code 1/;
        expectRefused(imported.alpha, code, reason, 'alpha');
        await expect.poll(() => listProcessesIn(sandbox.root)).toEqual([]);
        expect(list(sandbox, 'failures')).toEqual(['alpha.json']);
        for (const name of ['staging', 'locks', 'any']) expect(list(sandbox, name)).toEqual([]);
      },
    );
  },
);
