/** Two jobs that install on two mounts of one volume, as on two hosts. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { InstallResult } from '../../src/types.ts';
import { cachedMountsProblem, openCachedMounts } from '../support/cached-mounts.ts';
import { esmPackage } from '../support/fixtures.ts';
import { lock } from '../support/lock-files.ts';
import { canUnshare, OTHER_PIDS } from '../support/namespaces.ts';
import { repositoryRoot } from '../support/package.ts';
import { listProcessesIn } from '../support/processes.ts';
import { makeGate } from '../support/registry.ts';
import { openWorld } from '../support/world.ts';

const names = ['alpha', 'beta'];
const packages = names.map((name) => esmPackage(name, '1.0.0', name));
const features = Object.fromEntries(names.map((name) => [name, '^1.0.0']));

const problem =
  cachedMountsProblem ?? (canUnshare(OTHER_PIDS) ? undefined : 'it takes another pid namespace');
const why = problem === undefined ? '' : ` (skipped: ${problem})`;

describe.runIf(problem === undefined)(`two jobs on two mounts of a volume${why}`, () => {
  async function openJobs() {
    const { sandbox, registry } = await openWorld({ packages, annex: { features } });
    await lock(sandbox);
    registry.requests.length = 0;
    const cli = join(repositoryRoot, 'dist/cli/main.js');
    const [unshare, ...flags] = OTHER_PIDS;
    const mounts = openCachedMounts();
    const start = async (mount: string, ...args: string[]) => {
      const command = [cli, 'install', '--within', ...args, '--json', '--store'];
      const { code, stdout, stderr } = await sandbox.exec(
        unshare,
        [...flags, process.execPath, ...command, join(mount, 'annex')],
        { env: { npm_config_cache: join(mount, 'cache'), npm_config_fetch_retries: '0' } },
      );
      const results: InstallResult[] = stdout === '' ? [] : JSON.parse(stdout).results;
      return { code, stderr, outcomes: results.map(({ outcome }) => outcome) };
    };
    const list = (mount: string, name: string): string[] =>
      readdirSync(join(mount, 'annex/v1', name));
    return { registry, mounts, start, list };
  }

  test('install each feature once', async () => {
    const { registry, mounts, start } = await openJobs();
    registry.fault({ kind: 'slow', ms: 500 });
    const both = await Promise.all(mounts.map((mount) => start(mount, '300', '--all')));
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const tarballs = names.map((name) => `GET /${name}/-/${name}-1.0.0.tgz`);
    expect(registry.requests).toHaveLength(2);
    expect(registry.requests).toEqual(expect.arrayContaining(tarballs));
    const outcomes = both.flatMap((one) => one.outcomes).sort();
    expect(outcomes).toEqual(['installed', 'installed', 'present', 'present']);
  });

  test('one goes on when the other one is killed', async () => {
    const { registry, mounts, start, list } = await openJobs();
    const [one, two] = mounts;
    registry.fault({ kind: 'hang' });
    const killed = start(one, '300', 'alpha');
    await expect.poll(() => registry.requests).toHaveLength(1);
    const waiting = start(two, '300', 'alpha');
    await expect.poll(() => list(two, 'locks')).toHaveLength(2);
    registry.fault(undefined);
    const running = listProcessesIn(one).filter(({ args }) => args.includes('install'));
    for (const { pid } of running) process.kill(pid, 'SIGKILL');
    expect((await killed).code).not.toBe(0);
    const { code, outcomes, stderr } = await waiting;
    expect({ code, outcomes }, stderr).toEqual({ code: 0, outcomes: ['installed'] });
    expect(list(one, 'locks')).toEqual([]);
  });

  test.each([503, 404])('make one try between them when it fails with %i', async (status) => {
    const { registry, mounts, start, list } = await openJobs();
    const [one, two] = mounts;
    const { until, letGo } = makeGate();
    registry.fault({ kind: 'status', status, until });
    const first = start(one, '20', 'alpha');
    await expect.poll(() => registry.requests).toHaveLength(1);
    const second = start(two, '20', 'alpha');
    await expect.poll(() => list(two, 'locks')).toHaveLength(2);
    letGo();
    const both = await Promise.all([first, second]);
    expect(both.map(({ code }) => code)).toEqual([1, 1]);
    const tries = both.map(({ stderr }) => stderr.split('annex: installing alpha').length - 1);
    expect(tries).toEqual([1, 0]);
  });
});
