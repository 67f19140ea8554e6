/** The lock between real processes: never two holders. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryRoot } from '../../support/package.ts';
import { execute } from '../../support/process.ts';
import { removeTree } from '../../support/tree.ts';

/** Takes the lock repeatedly; a holder creates and removes a file that must not exist yet. */
const PROGRAM = `
import { appendFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from './lock.mjs';
const [name] = process.argv.slice(2);
const { signal } = new AbortController();
for (let turn = 0; turn < 12; turn++) {
  await withLock({ store: '.', dirs: ['locks'], name: 'alpha.lock' }, async () => {
    writeFileSync('inside', name, { flag: 'wx' });
    await sleep(2);
    appendFileSync('turns', name);
    unlinkSync('inside');
  }, { isDone: () => false, limit: 3600000, signal }, { times: { heartbeat: 500, stale: 3600000, poll: 1, quiet: 3600000 } });
}
`;

test('one of many processes holds it at a time, and each gets all its turns', async () => {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'annex-lock-'));
  onTestFinished(() => removeTree(directory));
  await build({
    input: join(repositoryRoot, 'src/store/lock.ts'),
    platform: 'node',
    output: { file: join(directory, 'lock.mjs') },
  });
  writeFileSync(join(directory, 'main.mjs'), PROGRAM);
  mkdirSync(join(directory, 'locks'));
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const runs = await Promise.all(
    names.map((name) => execute(process.execPath, ['main.mjs', name], { cwd: directory, env: {} })),
  );
  for (const { stderr, code } of runs) expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const turns = readFileSync(join(directory, 'turns'), 'utf8');
  for (const name of names) expect(turns.split(name)).toHaveLength(13);
  expect(readdirSync(join(directory, 'locks'))).toEqual([]);
});
