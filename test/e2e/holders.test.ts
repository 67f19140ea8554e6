/** G4: installers that die, stop, or run elsewhere while others want the same feature: who is waited for, for how long, and one entry in the end. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, type TestContext, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { importIn } from '../support/importer.ts';
import { copyLocks, listEntries, listStaging, lock, node } from '../support/lock-files.ts';
import { makeOwner } from '../support/locks.ts';
import { canUnshare, NO_PROC, OTHER_CLOCKS, OTHER_PIDS } from '../support/namespaces.ts';
import { canListProcesses, killAllIn, listProcessesIn } from '../support/processes.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const PATIENT = { interval: 5, timeout: 30_000 };
const packages = [esmPackage('alpha', '1.0.0', 'alpha')];
const annex = { features: { alpha: '^1.0.0' } };
const cli = join(process.cwd(), 'dist/cli/main.js');

let locked: Sandbox;
beforeAll(async () => {
  const registry = await startRegistry(packages);
  locked = await createSandbox({ registry, node: node.path });
  locked.setCore(annex);
  await lock(locked);
  await registry.stop();
});
afterAll(() => locked.cleanup());

/** A core with a lock, and a holder that waits for its tarball. */
async function open({ onTestFinished, expect }: TestContext) {
  const registry = await startRegistry(packages);
  onTestFinished(() => registry.stop());
  const sandbox = await createSandbox({ registry, node: node.path });
  onTestFinished(() => sandbox.cleanup());
  sandbox.setCore(annex);
  copyLocks(locked, sandbox);
  const list = (name: string): string[] => {
    const dir = join(sandbox.store, 'v1', name);
    return existsSync(dir) ? readdirSync(dir, { recursive: true }).map(String).sort() : [];
  };

  /** @param timeout of the operator, seconds */
  const makeEnv = (timeout?: number) => ({
    ANNEX_STORE: sandbox.store,
    ANNEX_CONFIG: sandbox.write(`operator-${timeout}.json`, { timeout }),
  });

  /** @param prefix a program that starts it in other namespaces */
  const install = (timeout?: number, prefix: readonly string[] = [], flags: string[] = []) => {
    const [command = '', ...args] = [...prefix, node.path, ...flags, cli, 'install', 'alpha'];
    return sandbox.exec(command, args, { env: makeEnv(timeout) });
  };

  /** An installer that has the lock and a staging directory, and gets nothing from the registry. */
  const hold = async (prefix?: readonly string[], flags?: string[]) => {
    registry.fault({ kind: 'hang' }, /\.tgz$/);
    const ended = install(undefined, prefix, flags);
    await expect.poll(() => registry.requests.length, PATIENT).toBe(1);
    registry.fault(undefined);
    const [left] = list('locks').filter((name) => name.startsWith('alpha.lock/'));
    return { ended, locks: list('locks'), staging: listStaging(sandbox), owner: `${left}` };
  };

  /** What the holder waits for comes: its connection breaks, and it asks again. */
  const letGo = async () => {
    await registry.stop();
    await registry.resume();
  };

  const expectOne = () => {
    expect(listEntries(sandbox)).toHaveLength(1);
    for (const name of ['staging', 'locks', 'failures', 'retired']) expect(list(name)).toEqual([]);
  };
  return { registry, sandbox, list, makeEnv, install, hold, letGo, expectOne };
}

describe.runIf(canListProcesses).concurrent('on one host', () => {
  test('killed: the next one does not wait', async (context) => {
    const { expect } = context;
    const { sandbox, makeEnv, hold, expectOne } = await open(context);
    const { ended, staging } = await hold();
    await killAllIn(sandbox.root);
    expect((await ended).signal).toBe('SIGKILL');
    expect(staging).toHaveLength(1);
    const next = await importIn(sandbox, ['alpha'], { node: node.path, env: makeEnv() });
    expect(next.imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(next.stderr).not.toContain('waiting for');
    expectOne();
  });

  test('its process id was given to another: the same, and debris of every feature is swept', async (context) => {
    const { expect } = context;
    const { sandbox, makeEnv, expectOne } = await open(context);
    const owner = makeOwner({ start: '1' });
    const root = join(sandbox.store, 'v1');
    for (const name of ['alpha', 'beta']) {
      mkdirSync(join(root, 'locks', `${name}.lock`), { recursive: true });
      writeFileSync(join(root, 'locks', `${name}.lock`, owner), '');
      mkdirSync(join(root, 'locks', `${name}.lock.${owner}`));
      mkdirSync(join(root, 'staging', `${name}.${owner}`, 'node_modules'), { recursive: true });
    }
    const next = await importIn(sandbox, ['alpha'], { node: node.path, env: makeEnv() });
    expect(next.imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(next.stderr).not.toContain('waiting for');
    expectOne();
  });

  test('its lock tells nothing of it: waited for until the limit, or ten seconds', async (context) => {
    const { expect } = context;
    const { sandbox, install, expectOne } = await open(context);
    const path = join(sandbox.store, 'v1/locks/alpha.lock');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'torn'), '{"pid":');
    const next = await install(3);
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).toContain('annex: waiting for another process, which installs alpha\n');
    expectOne();
  });

  test('stopped: waited for by name until the time limit, then overruled; its staging stays its own, and both have it', async (context) => {
    const { expect } = context;
    const { sandbox, makeEnv, hold, letGo, expectOne } = await open(context);
    const { ended, staging } = await hold();
    const [holder] = listProcessesIn(sandbox.root);
    process.kill(holder?.pid ?? 0, 'SIGSTOP');
    const options = { node: node.path, env: makeEnv(4) };
    const second = await importIn(sandbox, ['alpha'], options);
    expect(second.imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(second.stderr).toContain(
      `annex: waiting for process ${holder?.pid} on ${hostname()}, which installs alpha\n`,
    );
    expect(second.ms).toBeGreaterThan(4_000);
    expect(listStaging(sandbox)).toEqual(staging);
    process.kill(holder?.pid ?? 0, 'SIGCONT');
    await letGo();
    const first = await ended;
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('annex: installed alpha 1.0.0');
    expectOne();
  });

  test('alive and slow: at the time limit whoever waits for it is told so, and it finishes', async (context) => {
    const { expect } = context;
    const { sandbox, list, install, hold, letGo, expectOne } = await open(context);
    const { ended, locks, staging } = await hold();
    const [holder] = listProcessesIn(sandbox.root);
    const second = await install(3);
    expect(second.code).toBe(1);
    expect(second.stderr.split('\n')).toEqual([
      `annex: waiting for process ${holder?.pid} on ${hostname()}, which installs alpha`,
      expect.stringContaining(
        `(ANNEX_TIMEOUT): process ${holder?.pid} on ${hostname()} has been installing it for longer than 3 s.`,
      ),
      '',
    ]);
    expect(list('failures')).toEqual([]);
    expect([list('locks'), listStaging(sandbox)]).toEqual([locks, staging]);
    await letGo();
    expect((await ended).code).toBe(0);
    expectOne();
  });

  test('a waiter that is killed takes nobody’s lock along', async (context) => {
    const { expect } = context;
    const { sandbox, list, makeEnv, hold, letGo, expectOne } = await open(context);
    const { ended, locks, staging } = await hold();
    const [holder] = listProcessesIn(sandbox.root);
    const said = join(sandbox.root, 'said');
    const script = `exec ${node.path} ${cli} install alpha 2>${said}`;
    const waiter = sandbox.exec('sh', ['-c', script], { env: makeEnv() });
    const hasSaid = () => existsSync(said) && readFileSync(said, 'utf8').includes('waiting for');
    await expect.poll(hasSaid, PATIENT).toBe(true);
    for (const { pid } of listProcessesIn(sandbox.root)) {
      if (pid !== holder?.pid) process.kill(pid, 'SIGKILL');
    }
    expect((await waiter).signal).toBe('SIGKILL');
    // The place where it waited is swept by the holder, when that is done.
    expect(list('locks')).toEqual(expect.arrayContaining(locks));
    expect(listStaging(sandbox)).toEqual(staging);
    await letGo();
    expect((await ended).code).toBe(0);
    expectOne();
  });
});

describe.concurrent('a lock that fails altogether', () => {
  test('is removed under its holder: another installs beside it, both have it, and there is one entry', async (context) => {
    const { expect } = context;
    const { sandbox, install, hold, letGo, expectOne } = await open(context);
    const { ended, staging } = await hold();
    rmSync(join(sandbox.store, 'v1/locks'), { recursive: true });
    const second = await install();
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).not.toContain('waiting for');
    if (canListProcesses) expect(listStaging(sandbox)).toEqual(staging);
    await letGo();
    const first = await ended;
    expect(first.code, first.stderr).toBe(0);
    expectOne();
  });

  test('is removed again and again: many installers, and one entry', async (context) => {
    const { expect } = context;
    const { sandbox, registry, install, expectOne } = await open(context);
    registry.fault({ kind: 'slow', ms: 2_000 }, /\.tgz$/);
    const path = join(sandbox.store, 'v1/locks/alpha.lock');
    const timer = setInterval(() => rmSync(path, { recursive: true, force: true }), 2);
    const runs = await Promise.all(Array.from({ length: 6 }, () => install()));
    clearInterval(timer);
    for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
    expect(registry.requests.length).toBeGreaterThan(1);
    rmSync(path, { recursive: true, force: true });
    expectOne();
  });
});

/** Its Date jumps a day forth and back with every look at it. */
const JUMPY = 'data:text/javascript,const{now}=Date;let s=864e5;Date.now=()=>now()+(s=-s)';

const elsewhere = [
  ['in another pid namespace, as process 1', OTHER_PIDS, []],
  ['without a /proc of its own', NO_PROC, []],
  ['with other clocks, and a date that jumps', OTHER_CLOCKS, ['--import', JUMPY]],
] as const;

for (const [where, prefix, flags] of elsewhere) {
  describe.runIf(canListProcesses && canUnshare(prefix)).concurrent(where, () => {
    test('a holder that lives is not overruled, whoever waits', async (context) => {
      const { expect } = context;
      const { sandbox, list, install, hold, letGo, expectOne } = await open(context);
      const { ended, locks, staging, owner } = await hold(prefix, [...flags]);
      const pid = owner.split('.')[2];
      const waiters = await Promise.all([install(3), install(3, prefix)]);
      for (const { code, stderr } of waiters) {
        expect(code).toBe(1);
        expect(stderr).toContain(`process ${pid} on ${hostname()} has been installing it`);
      }
      expect([list('locks'), listStaging(sandbox)]).toEqual([locks, staging]);
      await letGo();
      expect((await ended).code).toBe(0);
      expectOne();
    });

    test('a holder on a slow disk beats while it syncs', async (context) => {
      const { expect } = context;
      const { sandbox, list, install, expectOne } = await open(context);
      chmodSync(sandbox.write('bin/sync', '#!/bin/sh\ntouch "$0.started"; exec sleep 6\n'), 0o755);
      const PATH = [join(sandbox.root, 'bin'), process.env.PATH].join(delimiter);
      const holder = install(undefined, ['env', `PATH=${PATH}`, ...prefix], [...flags]);
      const isSyncing = () => existsSync(join(sandbox.root, 'bin/sync.started'));
      await expect.poll(isSyncing, PATIENT).toBe(true);
      const locks = list('locks');
      const waiter = await install(3);
      expect(waiter.code).toBe(1);
      expect(waiter.stderr).toContain('ANNEX_TIMEOUT');
      expect(list('locks')).toEqual(locks);
      const { code, stderr } = await holder;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expectOne();
    });

    test('a holder that is killed is waited for while its heartbeat could come, then its staging goes too', async (context) => {
      const { expect } = context;
      const { sandbox, install, hold, expectOne } = await open(context);
      const { ended } = await hold(prefix, [...flags]);
      await killAllIn(sandbox.root);
      await ended;
      const next = await install(3);
      expect(next.code, next.stderr).toBe(0);
      expect(next.stderr).toContain('waiting for process ');
      expectOne();
    });

    test('a holder that was stopped, followed and swept does not fail: it waits for its successor', async (context) => {
      const { expect } = context;
      const { sandbox, registry, install, hold, letGo, expectOne } = await open(context);
      const listRunning = () =>
        listProcessesIn(sandbox.root).filter(({ args }) => args.includes(cli));
      const signal = (pids: readonly number[], name: NodeJS.Signals) => {
        for (const pid of pids) process.kill(pid, name);
      };
      const { ended, staging } = await hold(prefix, [...flags]);
      const first = listRunning().map(({ pid }) => pid);
      signal(first, 'SIGSTOP');
      registry.fault({ kind: 'hang', times: 1 }, /\.tgz$/);
      const successor = install(6);
      await expect.poll(() => registry.requests.length, PATIENT).toBe(2);
      expect(listStaging(sandbox)).not.toContain(staging[0]);
      const second = listRunning().flatMap(({ pid }) => (first.includes(pid) ? [] : [pid]));
      signal(second, 'SIGSTOP');
      signal(first, 'SIGCONT');
      await letGo();
      // It has fetched what it lacked, and found its directory gone.
      await expect.poll(() => registry.requests.length, PATIENT).toBe(3);
      signal(second, 'SIGCONT');
      const runs = [await ended, await successor];
      for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
      expectOne();
    });
  });
}
