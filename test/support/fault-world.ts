/** Injects one fault per run into the installer that a real import starts, and inspects the store afterwards. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { isReachable, shareBinary } from './binary.ts';
import { expectCause, findHit, listDebris, listEntriesOf, listFailures } from './fault-checks.ts';
import { CALLS, listPoints, type Point, type Strike, toInjection } from './faults.ts';
import { cjsPackage, dependentPackage, esmPackage } from './fixtures.ts';
import { importIn, writeImporter } from './importer.ts';
import { findProgram } from './programs.ts';
import { startRegistry } from './registry.ts';
import { createSandbox, type RunOptions } from './sandbox.ts';
import { AHEAD, parseTrace, strace } from './strace.ts';
import { digestTree, removeTree } from './tree.ts';
import { giveTo } from './user.ts';

/**
 * The store before the install: empty; or with an entry and debris of a killed installer, and
 * without a sync program, so that each file is synced separately.
 */
export type Situation = 'empty' | 'used';

/** Outcome of a fault. */
export interface Finding {
  /** Place of the fault, the same in each run; undefined when the run did not reach it. */
  hit?: string | undefined;
  /** Whether the import succeeded in spite of the fault. */
  isHarmless: boolean;
  /** Failed expectations. */
  problem?: string;
}

/** Imports with a fault in the installer, then without; none of these rejects. */
export interface FaultWorld {
  /** All points of an install. */
  record(situation: Situation): Promise<Point[]>;
  /** A system call fails, or the installer is killed in it. */
  strike(situation: Situation, strike: Strike): Promise<Finding>;
  /** Limits the size of files: longer writes are cut off. */
  cut(situation: Situation, bytes: number): Promise<Finding>;
  /** The installer and its child processes are killed this many ms after their start. */
  kill(situation: Situation, ms: number): Promise<Finding>;
  close(): Promise<void>;
}

/** Shell lines, and words of a wrapper command, before the command of the installer. */
interface Harm {
  before?: string;
  words: string[];
  /** Error that the cause must name; undefined when npm reports it. */
  errno?: string | undefined;
}

const packages = [
  dependentPackage('kit', '1.0.0', 'kit', { alpha: '^1.0.0', beta: '^1.0.0' }),
  esmPackage('alpha', '1.0.0', 'alpha'),
  cjsPackage('beta', '1.0.0', 'beta'),
  esmPackage('early', '1.0.0', 'early'),
  esmPackage('late', '1.0.0', 'late'),
];
const features = { kit: '^1.0.0', early: '^1.0.0', late: '^1.0.0' };

/** Replaces Node's path in the program, so that its installer starts through a wrapper. */
const PRELOAD = 'process.execPath = process.env.TEST_INSTALLER ?? process.execPath;\n';

/** Options of a world. */
export interface FaultWorldOptions {
  node: string;
  /** User to run as; the current one by default. */
  user?: { uid?: number; gid?: number };
  /** Whether npm resolves at each install; false by default. */
  isUnlocked?: boolean;
  /** Directories of stores, as the faulty installer sees them, and as the next process does. */
  volumes?: readonly [string, string];
}

/** Opens a world with a core, a registry, and stores to break. */
export async function openFaultWorld(options: FaultWorldOptions): Promise<FaultWorld> {
  const { node, user = {}, isUnlocked = false } = options;
  const registry = await startRegistry(packages);
  const sandbox = await createSandbox({ registry, node, copyAnnex: user.uid !== undefined });
  sandbox.setCore({ features });
  if (!isUnlocked) expect(await sandbox.annex(['lock'])).toMatchObject({ code: 0 });
  writeImporter(sandbox);
  const preload = sandbox.write('preload.cjs', PRELOAD);
  const ahead = sandbox.write('ahead.cjs', AHEAD);
  const isHidden = user.uid !== undefined && !isReachable(node);
  const binary = isHidden ? shareBinary(node, join(sandbox.root, 'nodes')) : node;
  const [volume, other] = options.volumes ?? [join(sandbox.root, 'volume'), undefined];
  const template = join(volume, 'template');
  const logs = join(sandbox.root, 'logs');
  mkdirSync(logs);
  for (const dir of [volume, logs]) giveTo(user, dir);
  let reference: Record<string, string> = {};
  let early: Record<string, string> = {};
  let runs = 0;

  const optionsFor = (situation: Situation, store: string) => ({
    ...user,
    env: {
      ANNEX_STORE: store,
      ...(!isUnlocked && { npm_config_cache: join(sandbox.root, 'no-cache') }),
      ...(situation === 'used' && !isUnlocked && { PATH: '/nowhere' }),
    },
  });

  const openStore = (situation: Situation): string => {
    runs += 1;
    const store = join(volume, `run-${runs}`);
    if (situation === 'used') execFileSync('cp', ['-a', template, store]);
    return store;
  };

  /** Imports; the installer starts through the wrapper of the fault. */
  const importAfter = async (run: RunOptions, { before = '', words }: Harm) => {
    runs += 1;
    const flags = words[0] === strace ? ['--v8-pool-size=0', '--require', ahead] : [];
    const line = ['exec', ...words, binary, ...flags, '"$@"'].join(' ');
    const script = `#!/bin/sh\nexport UV_THREADPOOL_SIZE=1\n${before}\n${line}\n`;
    const installer = sandbox.write(`installer-${runs}.sh`, script);
    chmodSync(installer, 0o755);
    const env = { ...run.env, TEST_INSTALLER: installer };
    const ran = await importIn(sandbox, ['kit'], { ...run, env, flags: ['--require', preload] });
    removeTree(installer);
    return ran.imported.kit ?? {};
  };

  const nameLog = (store: string): string => join(logs, basename(store));
  const traced = (store: string, ...flags: string[]): Harm => {
    const usual = ['-f', '-qq', '-y', '-s', '0', '-e', 'signal=none', '-o', nameLog(store)];
    return { words: [strace ?? '', ...usual, ...flags] };
  };

  const record: FaultWorld['record'] = async (situation) => {
    const store = openStore(situation);
    const harm = traced(store, '-e', `trace=${CALLS}`);
    const kit = await importAfter(optionsFor(situation, store), harm);
    expect(kit).toMatchObject({ marker: 'kit' });
    expect([...listDebris(store), ...listFailures(store)]).toEqual([]);
    reference = digestTree(listEntriesOf(store, 'kit')[0] ?? '');
    return listPoints(parseTrace(readFileSync(nameLog(store), 'utf8')), store);
  };

  // Other calls refer to directories that openat opened.
  const strikeIn = (store: string, strike: Strike): Harm =>
    traced(store, '-e', `trace=openat,${strike.point.name}`, '-e', toInjection(strike));

  /** A store with an entry, what a killed installer left, and an entry whose removal was cut short. */
  const fillTemplate = async (): Promise<void> => {
    const run = optionsFor('empty', template);
    expect(await sandbox.annex(['install', 'early'], run)).toMatchObject({ code: 0 });
    early = digestTree(listEntriesOf(template, 'early')[0] ?? '');
    const publishing = (await record('empty')).findLast(({ kind }) => kind === 'rename');
    if (publishing === undefined) throw new Error('nothing was published');
    await importAfter(run, strikeIn(template, { point: publishing, fault: 'SIGKILL' }));
    expect(listDebris(template)).toHaveLength(2);
    const retired = join(template, 'v1/retired/0f0e0d0c-0000-4000-8000-000000000000');
    mkdirSync(join(retired, 'node_modules/gone'), { recursive: true });
    chmodSync(join(retired, 'node_modules'), 0o555);
    giveTo(user, retired);
  };
  if (!isUnlocked) await fillTemplate();

  const expectIntact = (store: string, situation: Situation, count: number): void => {
    const found = listEntriesOf(store, 'kit');
    expect(found).toHaveLength(count);
    for (const dir of found) expect(digestTree(dir)).toEqual(reference);
    if (situation === 'used') {
      expect(digestTree(listEntriesOf(store, 'early')[0] ?? '')).toEqual(early);
    }
  };

  /** Without the fault the feature is installed once, and the next install leaves nothing behind. */
  const expectRecovery = async (store: string, situation: Situation, isKill: boolean) => {
    const run = optionsFor(situation, store);
    // A remembered failure of an installed feature does not count, and expires.
    const isThere = listEntriesOf(store, 'kit').length > 0;
    if (isKill) {
      expect((await importIn(sandbox, ['kit'], run)).imported.kit).toMatchObject({ marker: 'kit' });
    } else {
      expect(await sandbox.annex(['install', 'kit'], run)).toMatchObject({ code: 0 });
    }
    expectIntact(store, situation, 1);
    if (!isThere) expect(listFailures(store).join()).toBe('');
    if (listDebris(store).length === 0) return;
    expect(await sandbox.annex(['install', 'late'], run)).toMatchObject({ code: 0 });
    // A fault in their removal keeps tarballs for a day.
    const left = listDebris(store).filter((path) => !(isThere && path.endsWith('.kept')));
    expect(left.join()).toBe('');
  };

  const inflict = async (
    situation: Situation,
    plan: (store: string) => Harm,
    find?: (store: string) => string | undefined,
  ): Promise<Finding> => {
    const store = openStore(situation);
    const finding: Finding = { isHarmless: false };
    try {
      const harm = plan(store);
      const kit = await importAfter(optionsFor(situation, store), harm);
      finding.hit = find?.(store);
      finding.isHarmless = kit.marker === 'kit';
      const isKill = harm.errno === 'SIGKILL';
      const isOfNpm = isUnlocked && !isKill;
      // The calls of two runs differ slightly: one outside the store need not be reported.
      const isElsewhere = find !== undefined && finding.hit === undefined && !isKill;
      if (!finding.isHarmless) expectCause(kit, isOfNpm || isElsewhere ? undefined : harm.errno);
      // A killed installer may have published before.
      const published = isKill ? listEntriesOf(store, 'kit').length : Number(finding.isHarmless);
      expectIntact(store, situation, published);
      const seen = other === undefined ? store : join(other, basename(store));
      // The installer remembers a failure of npm.
      const isNpmKilled = isUnlocked && isKill && find !== undefined && finding.hit === undefined;
      await expectRecovery(seen, situation, isKill && !isNpmKilled);
    } catch (error) {
      finding.problem = error instanceof Error ? error.message : String(error);
    }
    for (const path of [store, nameLog(store)]) removeTree(path);
    return finding;
  };

  return {
    record,
    strike: (situation, strike) =>
      inflict(
        situation,
        (store) => ({ ...strikeIn(store, strike), errno: strike.fault.split(' ', 1)[0] }),
        (store) => findHit(parseTrace(readFileSync(nameLog(store), 'utf8')), store, strike),
      ),
    cut: (situation, bytes) =>
      inflict(situation, () => ({
        words: [findProgram('prlimit') ?? '', `--fsize=${bytes}`],
        errno: 'EFBIG',
      })),
    kill: (situation, ms) => {
      const before = `(${findProgram('sleep')} ${ms / 1000}; kill -9 -$$) </dev/null >/dev/null 2>&1 &`;
      return inflict(situation, () => ({ before, words: [], errno: 'SIGKILL' }));
    },
    close: async () => {
      await registry.stop();
      await sandbox.cleanup();
    },
  };
}
