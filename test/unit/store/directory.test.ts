/** annex reads, writes and removes nothing in a store through a link. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDir, withDir } from '../../../src/store/directory.ts';
import { addFailure, readFailures } from '../../../src/store/failures.ts';
import { makeStore } from '../../../src/store/publish.ts';
import { removeIn } from '../../../src/store/tree.ts';
import { hold, list, makeOwner } from '../../support/locks.ts';
import { canUnshare, NO_PROC } from '../../support/namespaces.ts';
import { repositoryRoot } from '../../support/package.ts';
import { execute } from '../../support/process.ts';
import { ABI, ID, useStore } from '../../support/store-use.ts';
import { digestTree, removeTree } from '../../support/tree.ts';
import { callAsPlainUser } from '../../support/user.ts';

const abi = ABI;
const id = ID;
const DEAD = makeOwner({ start: '1' });

/** A directory with a store, and one with files that must stay. Every user may write both. */
function makePlace() {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'annex-dir-'));
  onTestFinished(() => removeTree(root));
  chmodSync(root, 0o777);
  const mask = process.umask(0);
  onTestFinished(() => void process.umask(mask));
  const victim = join(root, 'victim');
  // Contents that annex would find in place of each of its directories.
  const files = ['notes', `alpha.${id}.0/x`, `any.alpha.${id}.0`, `alpha.${DEAD}/x`, '@host.json'];
  const locks = [`beta.lock/${DEAD}`, `alpha.lock/${DEAD}`, `beta.lock.${DEAD}/x`, 'alpha.json'];
  for (const path of [...files, ...locks, ...files.map((file) => `any/${file}`)]) {
    mkdirSync(join(victim, path, '..'), { recursive: true });
    writeFileSync(join(victim, path), path);
  }
  return { root, store: join(root, 'store'), victim };
}

const refusal = { code: 'ANNEX_OFFLINE', reason: 'no answer', hint: 'wait' } as const;
const NOW = { ignored: undefined, now: Date.now() };

const NAMES = ['.', 'any', abi, 'staging', 'retired', 'failures', 'locks'];

describe.each(['root', 'a plain user'])('as %s', (user) => {
  const call = user === 'root' ? <T>(run: () => T): T => run() : callAsPlainUser;

  test.each(NAMES)('a link in place of v1/%s is reported and not followed', (name) => {
    const { store, victim } = makePlace();
    call(() => makeStore(store, abi));
    const path = join(store, 'v1', name);
    renameSync(path, `${path}.aside`);
    symlinkSync(victim, path);
    const before = digestTree(victim);
    const problems = call(() => useStore(store));
    expect(digestTree(victim)).toEqual(before);
    expect(problems.join('\n')).toContain(
      `${path} is a symbolic link, which annex does not follow`,
    );
  });

  test.each(NAMES.slice(1))('a file in place of v1/%s is reported', (name) => {
    const { store } = makePlace();
    call(() => makeStore(store, abi));
    const path = join(store, 'v1', name);
    removeTree(path);
    writeFileSync(path, '');
    const problems = call(() => useStore(store));
    expect(problems.join('\n')).toContain(`${path} is not a directory`);
  });
});

test('a link in place of a lock is removed, its target is not', async () => {
  const { store, victim } = makePlace();
  makeStore(store, abi);
  const path = join(store, 'v1/locks/alpha.lock');
  symlinkSync(join(victim, 'alpha.lock'), path);
  const before = digestTree(victim);
  expect(await hold(path)).toBe('held');
  expect(list(path)).toEqual([]);
  expect(digestTree(victim)).toEqual(before);
});

test('a failure is neither written nor read through a link', () => {
  const { store, victim } = makePlace();
  makeStore(store, abi);
  for (const name of ['alpha.json', 'alpha.json.new']) {
    symlinkSync(join(victim, 'notes'), join(store, 'v1/failures', name));
  }
  const before = digestTree(victim);
  expect(readFailures(store, 'alpha')).toEqual([]);
  addFailure(store, 'alpha', { key: 'k', feature: 'alpha', refusal }, NOW);
  expect(readFailures(store, 'alpha')).toHaveLength(1);
  expect(digestTree(victim)).toEqual(before);
});

test('an open directory stays the same when another one takes its place', () => {
  const { root, victim } = makePlace();
  const path = join(root, 'held');
  mkdirSync(path);
  writeFileSync(join(path, 'notes'), 'ours');
  const dir = openDir(root, 'held');
  renameSync(path, `${path}.aside`);
  symlinkSync(victim, path);
  if (process.platform === 'linux') {
    removeIn(dir, 'notes');
    expect(readdirSync(`${path}.aside`)).toEqual([]);
  } else {
    expect(() => removeIn(dir, 'notes')).toThrow(/was replaced while it was in use/);
  }
  dir.close();
  expect(readdirSync(victim)).toContain('notes');
});

test('an error has the path of a directory, not of its descriptor', () => {
  const { root } = makePlace();
  expect(() => withDir(root, ['victim'], (dir) => readdirSync(dir.at('absent')))).toThrow(
    `${root}/victim/absent`,
  );
});

/** Bundles a program that uses files of src/ and of the tests; returns its path. */
async function bundle(root: string, text: string): Promise<string> {
  const input = join(root, 'program.mjs');
  writeFileSync(input, text.replaceAll('REPOSITORY', repositoryRoot));
  const file = join(root, 'bundle.mjs');
  await build({ input, platform: 'node', output: { file }, external: ['vitest'] });
  return file;
}

/** Removes a tree again and again while another process swaps a part of it; prints how many files were lost elsewhere. */
const SWEEPER = `
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { openDir } from 'REPOSITORY/src/store/directory.ts';
import { tryRemoveIn } from 'REPOSITORY/src/store/tree.ts';
const [root, rounds] = process.argv.slice(2);
const dir = openDir(root);
let losses = 0;
for (let round = 0; round < Number(rounds); round++) {
  try {
    mkdirSync(root + '/tree/inner', { recursive: true });
    for (let file = 0; file < 20; file++) writeFileSync(root + '/tree/inner/' + file, '');
  } catch {}
  tryRemoveIn(dir, 'tree');
  for (let file = 0; file < 20; file++) {
    if (existsSync(root + '/victim/' + file)) continue;
    losses++;
    writeFileSync(root + '/victim/' + file, '');
  }
}
console.log(losses);
`;

test('removing a tree while one of its directories is swapped for a link removes nothing elsewhere', async () => {
  const { root, victim } = makePlace();
  for (let file = 0; file < 20; file++) writeFileSync(join(victim, `${file}`), '');
  const program = await bundle(root, SWEEPER);
  const swapper = join(repositoryRoot, 'test/support/swapper.mjs');
  const other = spawn(process.execPath, [swapper, join(root, 'tree/inner'), victim]);
  onTestFinished(() => void other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  const run = await execute(process.execPath, [program, root, '400'], { cwd: root, env: {} });
  expect(run).toMatchObject({ stdout: '0\n', stderr: '', code: 0 });
});

const USER = `
import { useStore } from 'REPOSITORY/test/support/store-use.ts';
console.log(JSON.stringify(useStore(process.argv[2])));
`;

describe.runIf(canUnshare(NO_PROC))('without a /proc', () => {
  test('a store works, and no link in it is followed', async () => {
    const { root, store, victim } = makePlace();
    const program = await bundle(root, USER);
    const use = async () => {
      const [command, ...args] = NO_PROC;
      const all = [...args, process.execPath, program, store];
      return JSON.parse((await execute(command, all, { cwd: root, env: {} })).stdout);
    };
    // There is no entry to discard.
    expect(await use()).toEqual([expect.stringMatching(/ENOENT.*rename/)]);
    const path = join(store, 'v1/retired');
    removeTree(path);
    symlinkSync(victim, path);
    const before = digestTree(victim);
    expect(await use()).toContain(`${path} is a symbolic link, which annex does not follow`);
    expect(digestTree(victim)).toEqual(before);
  });
});
