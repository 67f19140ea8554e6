/** A store on NFS: a server, and two clients with kernels of their own, one of them with `lookupcache=positive`. */
import { chownSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type NfsClient, type NfsServer, nfsProblem, startNfs } from '../support/nfs.ts';
import { makeGate } from '../support/registry.ts';
import { openRaces, runRound } from '../support/rounds.ts';
import type { World } from '../support/world.ts';

const why = nfsProblem === undefined ? '' : ` (skipped: ${nfsProblem})`;
const AS_USER = ['setpriv', '--reuid=10000', '--regid=10000', '--clear-groups'];

describe.runIf(nfsProblem === undefined)(`a store on NFS${why}`, () => {
  let world: World;
  let server: NfsServer;
  let one: NfsClient;
  let two: NfsClient;
  beforeAll(async () => {
    world = await openRaces();
    server = await startNfs();
    const port = Number(new URL(world.registry.url).port);
    [one, two] = await Promise.all([
      server.startClient(port),
      server.startClient(port, 'lookupcache=positive'),
    ]);
  });

  const annex = ({ prefix }: NfsClient, args: string[], env: object, user: string[] = []) => {
    const cli = join(world.sandbox.loader, '../dist/cli/main.js');
    const [command = '', ...rest] = [...prefix, ...user, process.execPath, cli, ...args];
    return world.sandbox.exec(command, rest, { env: { ...env } });
  };

  test('four processes on two hosts import the same missing feature: one install', async () => {
    const race = { processes: 4, names: () => ['alpha'] };
    const round = await runRound(world, race, [one, two]);
    expect(round).toEqual({ installs: 1, successes: 4 });
  });

  test('a host that asked too early uses what the other one publishes', async () => {
    const env = { ANNEX_STORE: join(server.volume, 'early') };
    const whereOn = async (host: NfsClient) => {
      const denied = { ...env, ANNEX_ALLOW_INSTALLS: '0' };
      const { stdout, stderr } = await annex(host, ['list', '--json'], denied);
      expect(stderr).toBe('');
      return (JSON.parse(stdout).features as { feature: string; where: string }[]).find(
        ({ feature }) => feature === 'alpha',
      )?.where;
    };
    expect(await annex(two, ['install', 'beta'], env)).toMatchObject({ code: 0 });
    expect(await whereOn(one)).toBe('denied');
    expect(await annex(two, ['install', 'alpha'], env)).toMatchObject({ code: 0 });
    expect(await whereOn(one)).toBe('store');
  });

  test('root_squash: root is refused with the reason, and a user has a store', async () => {
    const root = await annex(one, ['install', 'alpha'], {
      ANNEX_STORE: join(server.squashed, 'root'),
    });
    expect(root.code).toBe(1);
    expect(root.stderr).toMatch(/squashed\/root cannot be used: permission is denied \(EACCES /);
    const own = join(server.squashed, 'user');
    mkdirSync(own);
    chownSync(own, 10_000, 10_000);
    const env = { ANNEX_STORE: join(own, 'annex'), npm_config_cache: join(own, 'cache') };
    const installed = await annex(one, ['install', 'alpha'], env, AS_USER);
    expect(installed, installed.stderr).toMatchObject({ code: 0 });
    const verified = await annex(two, ['verify'], env, AS_USER);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('match the lock') });
  });

  test('a host that loses power in the middle of an install is replaced by the other one', async () => {
    const { registry } = world;
    const store = join(server.volume, 'killed');
    const { until, letGo } = makeGate();
    registry.fault({ kind: 'slow', ms: 0, until, times: 1 }, /delta-1\.0\.0\.tgz$/);
    const asked = registry.requests.length;
    void annex(one, ['install', 'delta'], { ANNEX_STORE: store });
    await expect.poll(() => registry.requests.slice(asked).join()).toContain('delta-1.0.0.tgz');
    await one.kill();
    letGo();
    const { code, stderr } = await annex(two, ['install', 'delta'], { ANNEX_STORE: store });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^annex: waiting for process \d+ on client-1, which installs delta$/m);
    expect(readdirSync(join(store, 'v1/any'))).toHaveLength(1);
    for (const name of ['staging', 'locks'])
      expect(readdirSync(join(store, 'v1', name))).toEqual([]);
  });
});
