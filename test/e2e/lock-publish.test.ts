/** The last steps of a locked install: files are synced before an entry is visible, and partial ones are never published. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dependentPackage, esmPackage } from '../support/fixtures.ts';
import { listEntries, listStaging, lockBefore, node } from '../support/lock-files.ts';
import { canListProcesses, listProcessesIn } from '../support/processes.ts';
import { findProgram } from '../support/programs.ts';
import { strace, straceProblem } from '../support/strace.ts';
import { removeTree } from '../support/tree.ts';

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { alpha: '^1.0.0' }),
  esmPackage('alpha', '1.0.0', 'alpha'),
];
const openLocked = lockBefore({ packages, annex: { features: { kit: '^1.0.0' } } });

async function open() {
  const { registry, sandbox } = await openLocked();
  const env = { ANNEX_STORE: sandbox.store };
  const install = () => sandbox.annex(['install', 'kit'], { env });
  return { registry, sandbox, install };
}

/** Installs, and lists the calls that sync, rename or start a program, in the order of their time. */
async function trace(options: { durability?: string; path?: string }) {
  const { sandbox } = await open();
  const { durability, path } = options;
  const config = sandbox.write('operator.json', durability === undefined ? {} : { durability });
  const out = join(sandbox.root, 'trace');
  const calls = 'trace=syncfs,fsync,fdatasync,sync,rename,renameat,renameat2';
  const args = ['-f', '-qq', '-y', '-e', calls, '-e', 'signal=none', '-o', out];
  const command = join(process.cwd(), 'dist/cli/main.js');
  const { code, stderr } = await sandbox.exec(
    strace ?? '',
    [...args, node.path, command, 'install', 'kit'],
    {
      env: {
        ANNEX_STORE: sandbox.store,
        ANNEX_CONFIG: config,
        ...(path !== undefined && { PATH: path }),
      },
    },
  );
  expect(code, stderr).toBe(0);
  const [entry = ''] = listEntries(sandbox);
  const lines = readFileSync(out, 'utf8').split('\n');
  const isPublishing = (line: string) =>
    /\brename.*= 0$/.test(line) && line.includes(basename(entry));
  const at = lines.findIndex(isPublishing);
  expect(at).toBeGreaterThan(-1);
  const isSync = (line: string) => /\b(syncfs|fsync|fdatasync|sync)\(/.test(line);
  return {
    entry,
    before: lines.slice(0, at).filter(isSync),
    after: lines.slice(at).filter(isSync),
  };
}

describe.runIf(straceProblem === undefined).concurrent(`${node.label}, traced`, () => {
  test.runIf(findProgram('sync') !== undefined)(
    'an entry is synced before it is visible, and its name afterwards',
    async () => {
      const { entry, before, after } = await trace({});
      expect(before).toEqual([expect.stringMatching(/syncfs\(\d+<.*\/staging\/kit\..*>\) += 0/)]);
      expect(after).toEqual([expect.stringContaining(`<${dirname(entry)}>`)]);
    },
  );

  test('without a sync program each file and directory of it is synced', async () => {
    const { entry, before, after } = await trace({ path: '/nowhere' });
    const synced = before.map((line) => line.replace(/^.*\/staging\/[^/>]+\/?(.*)>\).*$/, '$1'));
    const all = readdirSync(entry, { recursive: true }).map(String);
    expect(new Set(synced)).toEqual(new Set(['', ...all]));
    expect(after).toEqual([expect.stringContaining(`<${dirname(entry)}>`)]);
  });

  test('a temporary store is not synced', async () => {
    const { before, after } = await trace({ durability: 'none' });
    expect([...before, ...after]).toEqual([]);
  });
});

describe.runIf(straceProblem === undefined).concurrent(`${node.label}, with failing calls`, () => {
  /** Installs with an error in place of some calls. */
  const installWithError = async (error: string, PATH?: string) => {
    const { sandbox } = await open();
    const flags = ['-f', '-qq', '-o', join(sandbox.root, 'trace'), '-e', `inject=${error}`];
    const command = [node.path, join(process.cwd(), 'dist/cli/main.js'), 'install', 'kit'];
    const env = { ANNEX_STORE: sandbox.store, ...(PATH !== undefined && { PATH }) };
    const { code, stderr } = await sandbox.exec(strace ?? '', [...flags, ...command], { env });
    return { code, stderr, entries: listEntries(sandbox).length, staging: listStaging(sandbox) };
  };

  test('G4: a file that cannot be synced is not published', async () => {
    const failed = await installWithError('fsync:error=EIO:when=1', '/nowhere');
    expect(failed).toMatchObject({ code: 1, entries: 0, staging: [] });
    expect(failed.stderr).toMatch(
      /\(ANNEX_STORE_UNUSABLE\): .* its disk reports an error \(EIO fsync\)/,
    );
  });

  test.runIf(findProgram('sync') !== undefined).for([
    ['where the sync program fails, each file is synced by itself', 'syncfs:error=EIO'],
    ['a name that cannot be synced is published all the same', 'fsync:error=EIO'],
  ] as const)('%s', async ([, error]) => {
    const done = await installWithError(error);
    expect(done).toMatchObject({ code: 0, entries: 1, staging: [] });
    expect(done.stderr).toMatch(/annex: installed kit 1\.0\.0 in /);
  });

  test('a lock that cannot be given back, and a directory that cannot be removed, do not undo the install', async () => {
    const done = await installWithError('rmdir:error=EIO');
    expect(done).toMatchObject({ code: 0, entries: 1 });
    expect(done.stderr).toMatch(/annex: installed kit 1\.0\.0 in /);
  });
});

describe.runIf(canListProcesses)(node.label, () => {
  test('G4: an installer whose directory was swept while it was stopped publishes no partial entry', async () => {
    const { registry, sandbox, install } = await open();
    registry.fault({ kind: 'hang' }, /kit.*\.tgz$/);
    const running = install();
    // Its last file.
    const hasAlpha = () => {
      const staging = join(sandbox.store, 'v1', 'staging');
      return (existsSync(staging) ? readdirSync(staging) : []).some((name) =>
        existsSync(join(staging, name, 'node_modules/alpha/index.js')),
      );
    };
    const isAsked = () => registry.requests.some((line) => line.includes('kit'));
    await expect.poll(() => hasAlpha() && isAsked()).toBe(true);
    const frozen = listProcessesIn(sandbox.root);
    for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
    expect(frozen).toHaveLength(1);

    // An installer on another host assumes it is dead, sweeps, and fails.
    rmSync(join(sandbox.store, 'v1/locks/kit.lock'), { recursive: true });
    for (const name of listStaging(sandbox)) removeTree(join(sandbox.store, 'v1/staging', name));

    // The first one continues with a broken connection, and fetches the missing tarball.
    registry.fault(undefined);
    registry.disconnect();
    for (const { pid } of frozen) process.kill(pid, 'SIGCONT');
    const { code, stderr } = await running;
    expect(code, stderr).toBe(1);
    expect(registry.requests.filter((line) => /kit.*\.tgz/.test(line)).length).toBeGreaterThan(1);
    expect(listEntries(sandbox)).toEqual([]);
    expect(listStaging(sandbox)).toEqual([]);
    expect((await install()).code).toBe(0);
  });
});
