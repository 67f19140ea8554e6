/** The number of system calls of an install is bounded, whatever others have put into the store. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import { expect, onTestFinished, test } from 'vitest';
import { makeStore } from '../../src/store/publish.ts';
import { makeOwner } from '../support/locks.ts';
import { repositoryRoot } from '../support/package.ts';
import { execute } from '../support/process.ts';
import { retiredRoot, stagingRoot } from '../support/store-paths.ts';
import { ABI, ID } from '../support/store-use.ts';
import { strace, straceProblem } from '../support/strace.ts';
import { removeTree } from '../support/tree.ts';

const MANY = 1_500;

const PROGRAM = `
import { hasFailedHosts } from 'REPOSITORY/src/store/failures.ts';
import { withLock } from 'REPOSITORY/src/store/lock.ts';
import { makeStaging } from 'REPOSITORY/src/store/publish.ts';
const store = process.argv[2];
makeStaging(store, { name: 'alpha', slug: 'alpha' });
hasFailedHosts(store);
const wait = { isDone: () => false, limit: 60000, isPatient: false, onWait() {}, onLimit: () => new Error() };
await withLock({ store, dirs: ['v1', 'locks'], name: 'alpha.lock' }, async () => {}, wait);
`;

test.skipIf(straceProblem !== undefined)(
  'with 1,500 of everything that other users can create, an install needs fewer than 14,000 system calls on files',
  async () => {
    const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-bounds-'));
    onTestFinished(() => removeTree(root));
    const store = join(root, 'store');
    makeStore(store, ABI);
    const foreign = makeOwner({ place: 'abcdef012345' });
    for (let index = 0; index < MANY; index += 1) {
      const number = index.toString(16).padStart(12, '0');
      const owner = number + foreign.slice(12);
      mkdirSync(join(stagingRoot(store), `alpha.${owner}`));
      mkdirSync(join(store, 'v1/locks', `alpha.lock.${owner}`));
      writeFileSync(join(retiredRoot(store), `any.alpha.${ID}.${number}`), '');
      writeFileSync(join(store, 'v1/failures', `${number}.json`), '');
    }
    const input = join(store, '../program.mjs');
    writeFileSync(input, PROGRAM.replaceAll('REPOSITORY', repositoryRoot));
    const file = join(store, '../bundle.mjs');
    await build({ input, platform: 'node', output: { file } });
    const log = join(store, '../log');
    const args = [
      '-f',
      '--seccomp-bpf',
      '-qq',
      '-o',
      log,
      '-e',
      'trace=%file,getdents64',
      process.execPath,
      file,
    ];
    const ran = await execute(strace ?? '', [...args, store], { cwd: join(store, '..'), env: {} });
    expect(ran).toMatchObject({ stderr: '', code: 0 });
    const calls = readFileSync(log, 'utf8').split('\n').length;
    expect(calls).toBeLessThan(14_000);
  },
);
