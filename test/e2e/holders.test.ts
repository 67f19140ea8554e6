/** G4: installers on one host that die or stop while others wait for the same feature: how long they wait, and one final entry. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { cli, open, stepClock } from '../support/holder.ts';
import { importIn } from '../support/importer.ts';
import { listStaging, node } from '../support/lock-files.ts';
import { makeOwner } from '../support/locks.ts';
import { canListProcesses, killAllIn, listProcessesIn } from '../support/processes.ts';

describe.runIf(canListProcesses).concurrent('on one host', () => {
  test('a holder that was killed: the next installer does not wait', async ({ expect }) => {
    const { sandbox, makeEnv, hold, expectOne } = await open({ expect });
    const { ended, staging } = await hold();
    await killAllIn(sandbox.root);
    expect((await ended).signal).toBe('SIGKILL');
    expect(staging).toHaveLength(1);
    const next = await importIn(sandbox, ['alpha'], { node: node.path, env: makeEnv() });
    expect(next.imported.alpha).toMatchObject({ marker: 'alpha' });
    expect(next.stderr).not.toContain('waiting for');
    expectOne();
  });

  test('a killed holder, if its process id was given to another: the same, and debris of every feature is swept', async ({
    expect,
  }) => {
    const { sandbox, makeEnv, expectOne } = await open({ expect });
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

  test('a lock without information about its holder is waited for until the limit, or ten seconds', async ({
    expect,
  }) => {
    const { sandbox, install, expectOne } = await open({ expect });
    const path = join(sandbox.store, 'v1/locks/alpha.lock');
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'torn'), '{"pid":');
    const next = await install(60, [], stepClock(500));
    expect(next.code, next.stderr).toBe(0);
    expect(next.stderr).toContain('annex: waiting for another process, which installs alpha\n');
    expectOne();
  });

  test('a stopped holder is named and waited for until the time limit, then overruled; it keeps its staging directory, and both succeed', async ({
    expect,
  }) => {
    const { sandbox, install, hold, letGo, expectOne } = await open({ expect });
    const { ended, staging } = await hold();
    const [holder] = listProcessesIn(sandbox.root);
    process.kill(holder?.pid ?? 0, 'SIGSTOP');
    const second = await install(60, [], stepClock(1_000));
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain(
      `annex: waiting for process ${holder?.pid} on ${hostname()}, which installs alpha\n`,
    );
    expect(listStaging(sandbox)).toEqual(staging);
    process.kill(holder?.pid ?? 0, 'SIGCONT');
    letGo();
    const first = await ended;
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain('annex: installed alpha 1.0.0');
    expectOne();
  });

  test('a slow holder finishes; its waiter fails at the time limit and names it', async ({
    expect,
  }) => {
    const { sandbox, list, install, hold, letGo, expectOne } = await open({ expect });
    const { ended, locks, staging } = await hold();
    const [holder] = listProcessesIn(sandbox.root);
    const second = await install(3, [], stepClock(50));
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
    letGo();
    expect((await ended).code).toBe(0);
    expectOne();
  });

  test('a killed waiter removes no lock', async ({ expect }) => {
    const { sandbox, list, makeEnv, hold, letGo, expectOne } = await open({ expect });
    const { ended, locks, staging } = await hold();
    const [holder] = listProcessesIn(sandbox.root);
    const said = join(sandbox.root, 'said');
    const script = `exec ${node.path} ${cli} install alpha 2>${said}`;
    const waiter = sandbox.exec('sh', ['-c', script], { env: makeEnv() });
    const hasSaid = () => existsSync(said) && readFileSync(said, 'utf8').includes('waiting for');
    await expect.poll(hasSaid).toBe(true);
    for (const { pid } of listProcessesIn(sandbox.root)) {
      if (pid !== holder?.pid) process.kill(pid, 'SIGKILL');
    }
    expect((await waiter).signal).toBe('SIGKILL');
    // The holder removes the file of the waiter when it ends.
    expect(list('locks')).toEqual(expect.arrayContaining(locks));
    expect(listStaging(sandbox)).toEqual(staging);
    letGo();
    expect((await ended).code).toBe(0);
    expectOne();
  });
});

describe.concurrent('a lock that fails altogether', () => {
  test('and is removed under its holder: another process installs too, both succeed, and there is one entry', async ({
    expect,
  }) => {
    const { sandbox, install, hold, letGo, expectOne } = await open({ expect });
    const { ended, staging } = await hold();
    rmSync(join(sandbox.store, 'v1/locks'), { recursive: true });
    const second = await install();
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).not.toContain('waiting for');
    if (canListProcesses) expect(listStaging(sandbox)).toEqual(staging);
    letGo();
    const first = await ended;
    expect(first.code, first.stderr).toBe(0);
    expectOne();
  });

  test('and is removed repeatedly: there are many installers, and one entry', async ({
    expect,
  }) => {
    const { sandbox, registry, install, expectOne } = await open({ expect });
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
