/** Volumes that cannot rename a directory, as mounts of object stores. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { strace, straceProblem } from '../support/strace.ts';
import { openWorld } from '../support/world.ts';

const ERRORS = ['ENOSYS', 'EOPNOTSUPP', 'EPERM', 'EXDEV', 'EMFILE'];

/** @param fault of strace, for each rename or that which is the `when`th of a process */
async function open(fault: string) {
  const world = await openWorld({
    packages: [esmPackage('alpha', '1.0.0', 'registry')],
    annex: { features: { alpha: '^1.0.0' } },
  });
  const { sandbox } = world;
  const inject = `inject=rename,renameat,renameat2:${fault}`;
  const trace = ['-f', '-qq', '-o', '/dev/null', '-e', inject];
  return {
    ...world,
    annex: (...args: string[]) => {
      const command = [process.execPath, join(sandbox.loader, '../dist/cli/main.js'), ...args];
      return sandbox.exec(strace ?? '', [...trace, ...command], {
        env: { ANNEX_STORE: sandbox.store },
      });
    },
  };
}

describe.skipIf(straceProblem !== undefined).concurrent.each(ERRORS)('%s', (error) => {
  test('an install is refused in one line before it fetches, and leaves nothing', async () => {
    const { annex, sandbox, registry } = await open(`error=${error}`);
    const { code, stderr } = await annex('install', 'alpha');
    expect(code).toBe(1);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('its file system cannot rename a directory (');
    expect(lines[0]).toContain('Now: use it as a layer, behind a store on another volume');
    expect(registry.requests).toEqual([]);
    for (const name of ['staging', 'locks', 'any']) {
      expect(readdirSync(join(sandbox.store, 'v1', name))).toEqual([]);
    }
  });

  test('doctor finds it', async () => {
    const { annex, sandbox } = await open(`error=${error}`);
    sandbox.write(join(sandbox.store, 'v1/staging/.keep'), '');
    const { stdout } = await annex('doctor', '--json');
    const { findings } = JSON.parse(stdout);
    const write = findings.find(({ id }: { id: string }) => id === 'store.write');
    expect(write.text).toContain('its file system cannot rename a directory');
    expect(write.remedy).toMatch(/^use it as a layer/);
    expect(readdirSync(join(sandbox.store, 'v1/staging'))).toEqual(['.keep']);
    expect(existsSync(join(sandbox.store, 'v1/locks'))).toBe(false);
  });
});

describe.skipIf(straceProblem !== undefined)(
  'a rename that replaces a directory with files',
  () => {
    const REASON = 'its file system replaces a directory that is not empty';

    test('an install is refused in one line before it fetches, and leaves nothing', async () => {
      // The first rename takes the lock.
      const { annex, sandbox, registry } = await open('retval=0:when=2');
      const { code, stderr } = await annex('install', 'alpha');
      expect(code).toBe(1);
      expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(REASON)]);
      expect(stderr).toContain('Now: use it as a layer, behind a store on another volume');
      expect(registry.requests).toEqual([]);
      for (const name of ['staging', 'locks', 'any', 'failures']) {
        expect(readdirSync(join(sandbox.store, 'v1', name))).toEqual([]);
      }
    });

    test('doctor finds it', async () => {
      const { annex, sandbox } = await open('retval=0:when=1');
      sandbox.write(join(sandbox.store, 'v1/staging/.keep'), '');
      const { stdout } = await annex('doctor', '--json');
      const { findings } = JSON.parse(stdout);
      const write = findings.find(({ id }: { id: string }) => id === 'store.write');
      expect(write.text).toContain(REASON);
      expect(write.remedy).toMatch(/^use it as a layer/);
      expect(readdirSync(join(sandbox.store, 'v1/staging'))).toEqual(['.keep']);
    });
  },
);
