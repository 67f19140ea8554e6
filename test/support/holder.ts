/** An installer that holds the lock of a feature while its registry does not answer. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { esmPackage } from './fixtures.ts';
import { listEntries, listStaging, lockBefore, node } from './lock-files.ts';

export const cli = join(process.cwd(), 'dist/cli/main.js');

/** Flags for a waiter whose clock advances by `ms` with each read of the lock, whatever the speed of the machine. */
export const stepClock = (ms: number): string[] => [
  `--import=data:text/javascript,let t=0;performance.now=()=>(t+=${ms})`,
];

const openLocked = lockBefore({
  packages: [esmPackage('alpha', '1.0.0', 'alpha')],
  annex: { features: { alpha: '^1.0.0' } },
});

/** A core with a lock, and a holder that waits for its tarball. */
export async function open({ expect }: Pick<TestContext, 'expect'>) {
  const { registry, sandbox } = await openLocked();
  const list = (name: string): string[] => {
    const dir = join(sandbox.store, 'v1', name);
    return existsSync(dir) ? readdirSync(dir, { recursive: true }).map(String).sort() : [];
  };

  /** Each file is written once: an installer that already runs may be reading it. */
  const files = new Map<number, string>();
  const writeOperatorFile = (timeout: number): string => {
    const file = files.get(timeout) ?? sandbox.write(`operator-${timeout}.json`, { timeout });
    files.set(timeout, file);
    return file;
  };

  /** @param timeout of the operator, seconds */
  const makeEnv = (timeout = 900) => ({
    ANNEX_STORE: sandbox.store,
    ANNEX_CONFIG: writeOperatorFile(timeout),
    // The holder of the lock waits for its tarball until the test releases it.
    npm_config_fetch_timeout: '900000',
  });

  /** @param prefix a program that starts it in other namespaces */
  const install = (timeout?: number, prefix: readonly string[] = [], flags: string[] = []) => {
    const [command = '', ...args] = [...prefix, node.path, ...flags, cli, 'install', 'alpha'];
    return sandbox.exec(command, args, { env: makeEnv(timeout) });
  };

  /** An installer that has the lock and a staging directory, and gets no response from the registry. */
  const hold = async (prefix?: readonly string[], flags?: string[]) => {
    registry.fault({ kind: 'hang' }, /\.tgz$/);
    const ended = install(undefined, prefix, flags);
    await expect.poll(() => registry.requests.length).toBe(1);
    registry.fault(undefined);
    const [left] = list('locks').filter((name) => name.startsWith('alpha.lock/'));
    return { ended, locks: list('locks'), staging: listStaging(sandbox), owner: `${left}` };
  };

  /** Ends the wait of the holder: its connection breaks, and it retries. */
  const letGo = () => registry.disconnect();

  const expectOne = () => {
    expect(listEntries(sandbox)).toHaveLength(1);
    for (const name of ['staging', 'locks', 'failures', 'retired']) expect(list(name)).toEqual([]);
  };
  return { registry, sandbox, list, makeEnv, install, hold, letGo, expectOne };
}
