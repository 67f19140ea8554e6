/** An image layout whose bake is killed, or whose volume is full: tools read it, and the next bake completes it. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { run } from '../../examples/immutable-image/test/support/podman.ts';
import { esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { canMount, mount, unmount } from '../support/mount.ts';
import { readImages } from '../support/oci.ts';
import { findProgram } from '../support/programs.ts';
import type { Sandbox } from '../support/sandbox.ts';
import { AHEAD, type Call, parseTrace, strace, straceProblem } from '../support/strace.ts';
import { openWorld } from '../support/world.ts';

const missing = ['skopeo', 'umoci'].filter((name) => !findProgram(name));
const problem =
  straceProblem ?? (missing.length > 0 ? `${missing.join(', ')} cannot be found` : undefined);
const packages = [esmPackage('alpha', '1.0.0', 'alpha'), esmPackage('beta', '1.0.0', 'beta')];

/** Calls that change a directory, by the main thread; and openat, which names the directories that are held. */
const CALLS = 'openat,mkdir,rename,renameat2,unlink,unlinkat,rmdir';

describe.runIf(problem === undefined)(
  `a bake that ends early${problem === undefined ? '' : ` (skipped: ${problem})`}`,
  () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      const annex = { features: { alpha: '^1.0.0', beta: '^1.0.0' } };
      ({ sandbox } = await openWorld({ packages, annex }));
      await lock(sandbox);
    });

    const bake = async (layout: string, ...names: string[]): Promise<string> => {
      const args = ['bake', '--oci', layout, ...names, '--json'];
      const { code, stdout, stderr } = await sandbox.annex(args);
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout).image.digest;
    };

    const bakeTraced = async (layout: string, ...inject: string[]) => {
      const log = join(sandbox.root, 'log');
      const ahead = sandbox.write('ahead.cjs', AHEAD);
      const cli = join(sandbox.core, 'node_modules/annex/dist/cli/main.js');
      const flags = ['-f', '-qq', '-y', '-e', 'signal=none', '-e', `trace=${CALLS}`, '-o', log];
      const node = [process.execPath, '--v8-pool-size=0', '--require', ahead, cli];
      const args = [...flags, ...inject, ...node, 'bake', '--oci', layout];
      const options = { env: { UV_THREADPOOL_SIZE: '1' } };
      return { ...(await sandbox.exec(strace ?? '', args, options)), log };
    };

    /** The calls of a bake that change the layout itself, and one of those in its working directory. */
    const listPoints = async (layout: string): Promise<Call[]> => {
      const { code, stderr, log } = await bakeTraced(layout);
      expect(code, stderr).toBe(0);
      const calls = parseTrace(readFileSync(log, 'utf8'));
      const own = calls.filter(({ pid, name }) => pid === calls[0]?.pid && name !== 'openat');
      const inLayout = own.filter(({ paths }) => paths.some((path) => path.startsWith(layout)));
      const isWork = ({ paths }: Call) => paths.every((path) => path.includes('/annex-work.'));
      const work = inLayout.filter(isWork);
      return [...inLayout.filter((call) => !isWork(call)), ...work.slice(-1)];
    };

    /** Every image is complete, and tools find the images that are there. */
    const expectReadable = async (layout: string): Promise<void> => {
      if (!existsSync(join(layout, 'oci-layout'))) return;
      const names = readImages(layout).map(
        ({ descriptor }) => descriptor.annotations['org.opencontainers.image.ref.name'] ?? '',
      );
      expect(await run('umoci', ['ls', '--layout', layout])).toBe(names.join('\n'));
      for (const name of names) {
        await run('skopeo', ['--insecure-policy', 'inspect', `oci:${layout}:${name}`]);
      }
    };

    test.for([
      ['a new layout', false],
      ['a layout with an image of other features', true],
    ] as const)(
      '%s: killed at each change, it is valid, and the next bake has the same digest',
      async ([title, isUsed]) => {
        const template = join(sandbox.root, `template-${title.length}`);
        if (isUsed) await bake(template, 'alpha');
        let count = 0;
        const open = (): string => {
          count += 1;
          const layout = join(sandbox.root, `${title.length}-${count}`);
          if (isUsed) cpSync(template, layout, { recursive: true });
          return layout;
        };
        const digest = await bake(join(sandbox.root, `reference-${title.length}`));
        const points = await listPoints(open());
        expect(points.length).toBeGreaterThan(10);
        for (const { name, ordinal, paths } of points) {
          const layout = open();
          const inject = ['-e', `inject=${name}:signal=SIGKILL:when=${ordinal}`];
          const killed = await bakeTraced(layout, ...inject);
          expect(killed, paths.join(' ')).toMatchObject({ signal: 'SIGKILL' });
          await expectReadable(layout);
          expect(await bake(layout)).toBe(digest);
          await expectReadable(layout);
          expect(readdirSync(layout).sort()).toEqual([
            ...['annex-locks', 'blobs', 'index.json', 'oci-layout'],
          ]);
        }
      },
    );

    test.runIf(canMount())(
      'on a full volume, the earlier image stays, and is complete',
      async () => {
        const layout = join(sandbox.root, 'full');
        mkdirSync(layout);
        mount('-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', layout);
        onTestFinished(() => {
          unmount(layout);
        });
        const first = await bake(layout, 'alpha');
        for (const size of ['36k', '48k', '60k']) {
          mount('-o', `remount,size=${size}`, layout);
          const { code, stderr } = await sandbox.annex(['bake', '--oci', layout]);
          expect(code, stderr).toBe(1);
          expect(stderr).toContain('ENOSPC');
          expect(readImages(layout).map(({ descriptor }) => descriptor.digest)).toEqual([first]);
          await expectReadable(layout);
        }
      },
    );
  },
);
