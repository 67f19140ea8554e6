/** A signal ends `annex install --within` at once, also the first process of a container, and nothing is left. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { esmPackage } from '../support/fixtures.ts';
import { canUnshare, OTHER_PIDS } from '../support/namespaces.ts';
import { repositoryRoot } from '../support/package.ts';
import type { Fault } from '../support/registry.ts';
import { openWorld } from '../support/world.ts';

const packages = [esmPackage('alpha', '1.0.0', 'alpha')];
const features = { alpha: '^1.0.0' };

/** Prints the id of the process that a shell line leaves in `pid`, waits for it, and prints its exit code. */
const report = 'echo $pid; wait $!; echo $?';
/** The process itself, and the child of `unshare`, which the shell sees under another id. */
const PLAIN = `"$@" & pid=$!; ${report}`;
const CHILD = `"$@" & u=$!; until pid=$(cat /proc/$u/task/$u/children) && [ -n "$pid" ]; do :; done; ${report}`;

const places = [
  ['a process', PLAIN, [], true],
  ['the first process of a container', CHILD, OTHER_PIDS, canUnshare(OTHER_PIDS)],
] as const;

const moments: [string, Fault, string, string[]][] = [
  ['while it waits', { kind: 'status', status: 404 }, 'next try', ['alpha.json']],
  ['while it installs', { kind: 'hang' }, 'installing', []],
];

for (const [what, script, prefix, isPossible] of places) {
  describe.runIf(isPossible)(what, () => {
    test.each(moments)('%s', async (_, fault, moment, failures) => {
      const { sandbox, registry } = await openWorld({ packages, annex: { features } });
      registry.fault(fault);
      const cli = join(repositoryRoot, 'dist/cli/main.js');
      const args = [process.execPath, cli, 'install', 'alpha', '--within', '300'];
      const result = await sandbox.exec('sh', ['-c', script, 'sh', ...prefix, ...args], {
        env: { ANNEX_STORE: sandbox.store },
        onOutput: killAt(moment),
      });
      expect(result.stdout.split('\n')[1], result.stderr).toBe('143');
      expect(result.ms).toBeLessThan(200_000);
      const left = ['failures', 'staging', 'locks'].map((name) => {
        const dir = join(sandbox.store, 'v1', name);
        return existsSync(dir) ? readdirSync(dir) : [];
      });
      expect(left).toEqual([failures, [], []]);
    });
  });
}

/** Sends SIGTERM to the process whose id is the first line, when the output contains some text. */
function killAt(moment: string): (text: string) => void {
  let output = '';
  return (text) => {
    output += text;
    const pid = Number(/^\s*(\d+)\s*$/m.exec(output)?.[1]);
    if (pid > 0 && output.includes(moment)) {
      output = '';
      process.kill(pid, 'SIGTERM');
    }
  };
}
