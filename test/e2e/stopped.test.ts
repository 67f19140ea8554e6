/** An installer stops when the process that started it ends, unless another process waits for it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prelude } from '../support/api.ts';
import { cjsPackage } from '../support/fixtures.ts';
import { listEntries } from '../support/lock-files.ts';
import { nodes } from '../support/nodes.ts';
import { canListProcesses, listProcessesIn } from '../support/processes.ts';
import { startRegistry } from '../support/registry.ts';
import { createSandbox } from '../support/sandbox.ts';

const plain = cjsPackage('alpha', '1.0.0', 'alpha');
const scripted = cjsPackage('slow', '1.0.0', 'slow', { scripts: { install: 'node wait.cjs' } });
/** Reports that it runs, and never ends. */
const WAIT = `require('node:fs').writeFileSync(process.env.HOME + '/started', ''); setInterval(() => {}, 1000);`;
const packages = [plain, { ...scripted, files: { ...scripted.files, 'wait.cjs': WAIT } }];
const features = { alpha: '^1.0.0', slow: { packages: { slow: '^1.0.0' }, scripts: ['slow'] } };

/** Forms of requests, as programs of an application without signal handlers. */
const WAYS = {
  import: `console.log((await import('alpha')).marker)`,
  require: `import { createRequire } from 'node:module'; console.log(createRequire(import.meta.url)('alpha').marker)`,
  ensure: `${prelude} await ensure('alpha'); console.log('alpha');`,
  script: `await import('slow')`,
  caught: `await import('alpha').catch(({ cause }) => console.log(cause.message))`,
};

describe.runIf(canListProcesses).each(nodes)('$label', (node) => {
  /** An application with a separate registry that does not send the tarball yet. */
  async function open() {
    const own = await startRegistry(packages);
    own.fault({ kind: 'hang' }, /alpha.*\.tgz$/);
    const sandbox = await createSandbox({ registry: own, node: node.path });
    sandbox.setCore({ features });
    for (const [way, source] of Object.entries(WAYS)) sandbox.write(`app/${way}.mjs`, source);
    const env = { ANNEX_STORE: sandbox.store, ANNEX_LOG: 'debug' };
    const ask = (way: keyof typeof WAYS) =>
      sandbox.run(['--import', sandbox.loader, `${way}.mjs`], { env });
    const list = (name: string): string[] => {
      const dir = join(sandbox.store, 'v1', name);
      return existsSync(dir) ? readdirSync(dir) : [];
    };
    /** The processes with this argument. */
    const find = (argument: string) =>
      listProcessesIn(sandbox.root).filter(({ args }) => args.includes(argument));
    /** The process with this argument, once it exists. */
    const findProcess = async (argument: string): Promise<number> => {
      await expect.poll(() => find(argument).length).toBe(1);
      return find(argument)[0]?.pid ?? 0;
    };
    const isAsked = () =>
      expect.poll(() => own.requests.filter((line) => line.endsWith('.tgz')).length);
    const expectNothing = async () => {
      // A process that was killed is listed until the system has ended it.
      await expect.poll(() => listProcessesIn(sandbox.root)).toEqual([]);
      for (const name of ['staging', 'locks', 'failures']) expect(list(name)).toEqual([]);
      expect(listEntries(sandbox)).toEqual([]);
    };
    return { sandbox, own, env, ask, list, find, findProcess, isAsked, expectNothing };
  }

  test.for([
    ['import', 'SIGTERM'],
    ['require', 'SIGINT'],
    ['ensure', 'SIGTERM'],
    ['import', 'SIGKILL'],
  ] as const)('%s, ended by %s while it waits: the installer ends too', async ([way, signal]) => {
    const { ask, findProcess, isAsked, expectNothing } = await open();
    const asked = ask(way);
    await isAsked().toBe(1);
    process.kill(await findProcess(`${way}.mjs`), signal);
    // The installer holds stderr: both have ended.
    const ended = await asked;
    expect(ended).toMatchObject({ code: null, signal, stdout: '' });
    expect(ended.stderr).toMatch(
      /^annex: alpha is not installed: the process that asked for it has ended$/m,
    );
    await expectNothing();
  });

  test('Ctrl-C, which only reaches the group of the terminal, ends both', async () => {
    const { ask, findProcess, isAsked, expectNothing } = await open();
    const asked = ask('import');
    await isAsked().toBe(1);
    process.kill(-(await findProcess('import.mjs')), 'SIGINT');
    expect(await asked).toMatchObject({ code: null, signal: 'SIGINT' });
    await expectNothing();
  });

  test('an install script ends with it, together with the processes of the script', async () => {
    const { sandbox, ask, findProcess, expectNothing } = await open();
    const asked = ask('script');
    await expect.poll(() => existsSync(join(sandbox.home, 'started'))).toBe(true);
    process.kill(await findProcess('script.mjs'), 'SIGTERM');
    expect(await asked).toMatchObject({ code: null, signal: 'SIGTERM' });
    await expectNothing();
  });

  test('it finishes if another process waits for it', async () => {
    const { own, ask, list, find, findProcess, isAsked } = await open();
    const first = ask('import');
    await isAsked().toBe(1);
    const second = ask('require');
    await expect.poll(() => list('locks').length).toBe(2);
    process.kill(await findProcess('import.mjs'), 'SIGTERM');
    await expect.poll(() => find('import.mjs')).toEqual([]);
    expect(find('alpha')).toHaveLength(2);
    own.fault(undefined);
    own.disconnect();
    const [ended, served] = await Promise.all([first, second]);
    expect(ended.signal).toBe('SIGTERM');
    expect(ended.stderr).toContain('annex: installed alpha 1.0.0 in ');
    expect(served).toMatchObject({ code: 0, stdout: 'alpha\n' });
    expect(served.stderr).not.toContain('annex: installing');
    expect(list('locks')).toEqual([]);
  });

  test('an installer that receives a signal says so, and the program continues', async () => {
    const { ask, findProcess, isAsked, expectNothing } = await open();
    const asked = ask('caught');
    await isAsked().toBe(1);
    process.kill(await findProcess('alpha'), 'SIGTERM');
    const { code, stdout } = await asked;
    const reason = '(ANNEX_INSTALL_FAILED): the installer received SIGTERM, asked by caught.mjs';
    const state = 'The next request installs it; other features unaffected';
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `annex: alpha unavailable ${reason}. ${state}. Now: try again\n`,
    });
    await expectNothing();
  });

  test('an installer that waits for the lock ends when its parent has ended', async () => {
    const { own, ask, list, findProcess, isAsked } = await open();
    const first = ask('import');
    await isAsked().toBe(1);
    const second = ask('require');
    await expect.poll(() => list('locks').length).toBe(2);
    process.kill(await findProcess('require.mjs'), 'SIGTERM');
    expect((await second).signal).toBe('SIGTERM');
    expect(list('locks')).toEqual(['alpha.lock']);
    own.fault(undefined);
    own.disconnect();
    expect(await first).toMatchObject({ code: 0, stdout: 'alpha\n' });
  });

  test.for(['SIGINT', 'SIGTERM'] as const)(
    'annex install cleans up and exits on %s',
    async (signal) => {
      const { sandbox, env, findProcess, isAsked, expectNothing } = await open();
      const asked = sandbox.annex(['install', '--all'], { env });
      await isAsked().toBe(1);
      process.kill(await findProcess('--all'), signal);
      expect(await asked).toMatchObject({ code: null, signal, stdout: '' });
      await expectNothing();
    },
  );
});
