/** Pods on two hosts share a volume whose mounts remember absent names. */
import { existsSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prelude } from '../support/api.ts';
import { cachedMountsProblem, openCachedMounts } from '../support/cached-mounts.ts';
import { esmPackage } from '../support/fixtures.ts';
import { splitLines } from '../support/importer.ts';
import { lock } from '../support/lock-files.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha'), esmPackage('beta', '1.0.0', 'beta')];
const why = cachedMountsProblem === undefined ? '' : ` (skipped: ${cachedMountsProblem})`;

describe.runIf(cachedMountsProblem === undefined)(`a volume on two hosts${why}`, () => {
  /** Two pods with the same locked application. */
  async function openPods({ isLocked = true } = {}) {
    const annex = { features: { alpha: '^1.0.0', beta: '^1.0.0' } };
    const { sandbox, registry } = await openWorld({ packages, annex });
    if (isLocked) await lock(sandbox);
    const pods = openCachedMounts().map((mount) => {
      const env = { ANNEX_STORE: join(mount, 'annex'), ANNEX_ALLOW_INSTALLS: undefined };
      return {
        mount,
        annex: (args: string[], more = {}) => sandbox.annex(args, { env: { ...env, ...more } }),
        run: (source: string, more = {}) => {
          const program = sandbox.write(`app/program-${mount.length}.mjs`, source);
          return sandbox.run(['--import', sandbox.loader, program], { env: { ...env, ...more } });
        },
      };
    });
    const [first, second] = pods as [(typeof pods)[0], (typeof pods)[0]];
    return { registry, first, second };
  }
  const denied = { ANNEX_ALLOW_INSTALLS: '0' };

  test('the mounts of this test hide what the other one makes, though it is listed', async () => {
    const [one, two] = openCachedMounts();
    expect(existsSync(join(two, 'name'))).toBe(false);
    mkdirSync(join(one, 'name'));
    expect(existsSync(join(two, 'name'))).toBe(false);
    rmdirSync(join(one, 'name'));
  });

  test.for([
    ['a volume without a store', false, true],
    ['a volume with another entry', true, true],
    ['a volume with another entry, without locks', true, false],
  ] as const)(
    '%s: a pod that asked too early uses what another one publishes',
    async ([, isUsed, isLocked]) => {
      const { first, second } = await openPods({ isLocked });
      if (isUsed) expect((await first.annex(['install', 'beta'])).code).toBe(0);
      const list = async () => {
        const { stdout } = await second.annex(['list', '--json'], denied);
        return JSON.parse(stdout).features[0].where;
      };
      expect(await list()).toBe('denied');
      expect((await first.annex(['install', 'alpha'])).code).toBe(0);
      expect(await list()).toBe('store');
      const { stdout, stderr } = await second.run(
        `console.log((await import('alpha')).marker)`,
        denied,
      );
      expect(stdout, stderr).toBe('alpha\n');
    },
  );

  test('a process that asked before asks again, and does not install a second time', async () => {
    const { registry, first, second } = await openPods();
    expect((await first.annex(['install', 'beta'])).code).toBe(0);
    const program = `${prelude}
      const { existsSync, writeFileSync } = await import('node:fs');
      const { setTimeout } = await import('node:timers/promises');
      console.log(status().features[0].where);
      writeFileSync(process.env.FLAG, '');
      while (existsSync(process.env.FLAG)) await setTimeout(20);
      console.log((await import('alpha')).marker);`;
    const flag = join(first.mount, '..', 'flag');
    const running = second.run(program, { FLAG: flag });
    await expect.poll(() => existsSync(flag)).toBe(true);
    expect((await first.annex(['install', 'alpha'])).code).toBe(0);
    const asked = registry.requests.length;
    rmSync(flag);
    const { stdout, stderr } = await running;
    expect(splitLines(stdout), stderr).toEqual(['missing', 'alpha']);
    expect(registry.requests).toHaveLength(asked);
  });
});
