/** How a name is looked up again before it counts as absent. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSandbox } from '../support/sandbox.ts';
import { strace, straceProblem } from '../support/strace.ts';

test.runIf(straceProblem === undefined)(
  'the call for it is one that creates nothing, and that the audit log of Linux does not record',
  async () => {
    const sandbox = await createSandbox();
    sandbox.setCore({ features: { alpha: '^1.0.0' } });
    // On the mount of the working directory, where a link would be possible.
    mkdirSync(join(sandbox.store, 'v1'), { recursive: true });
    const main = sandbox.write('app/main.mjs', "await import('alpha').catch(() => {});");
    const trace = join(sandbox.root, 'trace');
    const before = ['-f', '-qq', '-o', trace, '-e', 'trace=link,linkat'];
    const program = [process.execPath, '--import', sandbox.loader, main];
    const env = { ANNEX_STORE: sandbox.store, ANNEX_ALLOW_INSTALLS: '0' };
    expect(await sandbox.exec(strace ?? '', [...before, ...program], { env })).toMatchObject({
      code: 0,
    });
    const calls = readFileSync(trace, 'utf8').split('\n').filter(Boolean);
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter((call) => !call.includes('= -1 EXDEV'))).toEqual([]);
  },
);
