/** G4: installers in other namespaces that die or stop while others wait for the same feature. */
import { chmodSync, existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';
import { cli, open, stepClock } from '../support/holder.ts';
import { listStaging } from '../support/lock-files.ts';
import { canUnshare, NO_PROC, OTHER_CLOCKS, OTHER_PIDS } from '../support/namespaces.ts';
import { canListProcesses, killAllIn, listProcessesIn } from '../support/processes.ts';

/** Makes Date jump a day forward and back with every read. */
const JUMPY = 'data:text/javascript,const{now}=Date;let s=864e5;Date.now=()=>now()+(s=-s)';

const elsewhere = [
  ['in another pid namespace, as process 1', OTHER_PIDS, []],
  ['without a /proc of its own', NO_PROC, []],
  ['with other clocks, and a date that jumps', OTHER_CLOCKS, ['--import', JUMPY]],
] as const;

for (const [where, prefix, flags] of elsewhere) {
  describe.runIf(canListProcesses && canUnshare(prefix)).concurrent(where, () => {
    test('a running holder is not overruled by any waiter', async ({ expect }) => {
      const { sandbox, list, install, hold, letGo, expectOne } = await open({ expect });
      const { ended, locks, staging, owner } = await hold(prefix, [...flags]);
      const pid = owner.split('.')[2];
      const waiters = await Promise.all([
        install(3, [], stepClock(50)),
        install(3, prefix, stepClock(50)),
      ]);
      for (const { code, stderr } of waiters) {
        expect(code).toBe(1);
        expect(stderr).toContain(`process ${pid} on ${hostname()} has been installing it`);
      }
      expect([list('locks'), listStaging(sandbox)]).toEqual([locks, staging]);
      letGo();
      expect((await ended).code).toBe(0);
      expectOne();
    });

    test('a holder on a slow disk sends heartbeats while it syncs', async ({ expect }) => {
      const { sandbox, list, install, expectOne } = await open({ expect });
      chmodSync(
        sandbox.write(
          'bin/sync',
          '#!/bin/sh\ntouch "$0.started"; until [ -e "$0.done" ]; do sleep 0.1; done\n',
        ),
        0o755,
      );
      const PATH = [join(sandbox.root, 'bin'), process.env.PATH].join(delimiter);
      const holder = install(undefined, ['env', `PATH=${PATH}`, ...prefix], [...flags]);
      const isSyncing = () => existsSync(join(sandbox.root, 'bin/sync.started'));
      await expect.poll(isSyncing).toBe(true);
      const locks = list('locks');
      const waiter = await install(3, [], stepClock(50));
      expect(waiter.code).toBe(1);
      expect(waiter.stderr).toContain('ANNEX_TIMEOUT');
      expect(list('locks')).toEqual(locks);
      sandbox.write('bin/sync.done', '');
      const { code, stderr } = await holder;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expectOne();
    });

    test('a killed holder is waited for until its heartbeat is overdue, then its staging directory is removed too', async ({
      expect,
    }) => {
      const { sandbox, install, hold, expectOne } = await open({ expect });
      const { ended } = await hold(prefix, [...flags]);
      await killAllIn(sandbox.root);
      await ended;
      const next = await install(60, [], stepClock(500));
      expect(next.code, next.stderr).toBe(0);
      expect(next.stderr).toContain('waiting for process ');
      expectOne();
    });

    test('a holder that was stopped, overruled and swept does not fail: it waits for its successor', async ({
      expect,
    }) => {
      const { sandbox, registry, install, hold, letGo, expectOne } = await open({ expect });
      const listRunning = () =>
        listProcessesIn(sandbox.root).filter(({ args }) => args.includes(cli));
      const signal = (pids: readonly number[], name: NodeJS.Signals) => {
        for (const pid of pids) process.kill(pid, name);
      };
      const { ended, staging } = await hold(prefix, [...flags]);
      const first = listRunning().map(({ pid }) => pid);
      signal(first, 'SIGSTOP');
      registry.fault({ kind: 'hang', times: 1 }, /\.tgz$/);
      const successor = install(60, [], stepClock(500));
      await expect.poll(() => registry.requests.length).toBe(2);
      expect(listStaging(sandbox)).not.toContain(staging[0]);
      const second = listRunning().flatMap(({ pid }) => (first.includes(pid) ? [] : [pid]));
      signal(second, 'SIGSTOP');
      signal(first, 'SIGCONT');
      letGo();
      // It has fetched the missing tarball, and its directory is gone.
      await expect.poll(() => registry.requests.length).toBe(3);
      signal(second, 'SIGCONT');
      const runs = [await ended, await successor];
      for (const { code, stderr } of runs) expect(code, stderr).toBe(0);
      expectOne();
    });
  });
}
