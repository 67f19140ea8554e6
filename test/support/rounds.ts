/** Races for missing features: all processes start at the same time, each round in a separate store. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { esmPackage } from './fixtures.ts';
import { importIn, writeImporter } from './importer.ts';
import { lock, node } from './lock-files.ts';
import { listProcessesIn } from './processes.ts';
import { startRegistry } from './registry.ts';
import { createSandbox } from './sandbox.ts';
import type { World } from './world.ts';

const NAMES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta', 'theta'] as const;

/** Waits at the barrier, then imports the given features in sequence. */
const RUNNER = `
import { existsSync, writeFileSync } from 'node:fs';
const [barrier, ...names] = process.argv.slice(2);
writeFileSync(barrier + '.' + Math.random(), '');
while (!existsSync(barrier)) await new Promise((resolve) => setTimeout(resolve, 5));
const markers = [];
for (const name of names) markers.push((await import(name)).marker);
console.log(JSON.stringify(markers));
`;

/** Number of processes, and the imports of each. */
export interface Race {
  processes: number;
  /** @param index of the process, from 0 */
  names: (index: number) => readonly string[];
}

/** Host of some processes: the directory of their stores, and their wrapper command. */
export interface Host {
  volume: string;
  prefix?: readonly string[];
}

/** Sixteen with the same import. */
export const SAME: Race = { processes: 16, names: () => ['alpha'] };

/** Eight that import all eight, each in a different order. */
export const ALL: Race = {
  processes: 8,
  names: (index) => NAMES.map((_, at) => NAMES[(at + index) % NAMES.length] as string),
};

/** A core with eight locked features, for all races of a file. */
export async function openRaces(): Promise<World> {
  const registry = await startRegistry(NAMES.map((name) => esmPackage(name, '1.0.0', name)));
  const sandbox = await createSandbox({ registry, node: node.path });
  sandbox.setCore({ features: Object.fromEntries(NAMES.map((name) => [name, '^1.0.0'])) });
  sandbox.write('app/race.mjs', RUNNER);
  writeImporter(sandbox);
  await lock(sandbox);
  return { sandbox, registry };
}

/** Closes the core and its registry. */
export const closeRaces = ({ sandbox, registry }: World): Promise<unknown> =>
  Promise.all([sandbox.cleanup(), registry.stop()]);

let rounds = 0;

/**
 * Runs one round, and expects one install of each feature, success for every process, and a store
 * without debris.
 *
 * @param hosts that take turns; all volumes are the same one
 */
export async function runRound(
  { sandbox, registry }: World,
  race: Race,
  hosts: readonly [Host, ...Host[]] = [{ volume: join(sandbox.root, 'volume') }],
) {
  const round = rounds++;
  const store = join(hosts[0].volume, `round-${round}`);
  const barrier = join(sandbox.root, `barrier-${round}`);
  const asked = registry.requests.length;
  const indexes = Array.from({ length: race.processes }, (_, index) => index);
  const running = indexes.map((index) => {
    const args = ['--import', sandbox.loader, 'race.mjs', barrier, ...race.names(index)];
    const { volume, prefix = [] } = hosts[index % hosts.length] ?? hosts[0];
    const env = { ANNEX_STORE: join(volume, `round-${round}`) };
    const [command, ...rest] = [...prefix, node.path, ...args] as [string, ...string[]];
    return sandbox.exec(command, rest, { node: node.path, env });
  });
  const countReady = () =>
    readdirSync(sandbox.root).filter((name) => name.startsWith(`barrier-${round}.`)).length;
  await expect.poll(countReady).toBe(race.processes);
  writeFileSync(barrier, '');
  const runs = await Promise.all(running);
  const wanted = new Set(indexes.flatMap((index) => race.names(index)));
  const lines = runs.flatMap(({ stderr }) => stderr.split('\n'));
  for (const [index, { code, stdout, stderr }] of runs.entries()) {
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toEqual(race.names(index));
  }
  for (const name of wanted) {
    const match = new RegExp(`/${name}-1\\.0\\.0\\.tgz$`);
    const tarballs = registry.requests.slice(asked).filter((line) => match.test(line));
    expect(tarballs, `installs of ${name} in round ${round}`).toHaveLength(1);
    const said = lines.filter((line) => line.startsWith(`annex: installing ${name} `));
    expect(said, `installs of ${name} in round ${round}`).toHaveLength(1);
  }
  expectClean(store, wanted.size);
  return { installs: wanted.size, successes: runs.length };
}

/**
 * Runs one round in which five of six installers are killed at random moments. Expects the survivors
 * to succeed, and the next program not to wait and to remove the debris.
 *
 * @param random from 0 to 1
 * @returns how many were killed; some end before
 */
export async function runKilling({ sandbox }: World, random: () => number) {
  const store = join(sandbox.root, 'volume', `round-${rounds++}`);
  const env = { ANNEX_STORE: store };
  const running = Array.from({ length: 6 }, () => sandbox.annex(['install', 'alpha'], { env }));
  const ended = Promise.all(running);
  for (let doomed = 5; doomed > 0; doomed--) {
    await sleep(random() * 150);
    const processes = listProcessesIn(sandbox.root);
    const found = processes[Math.floor(random() * processes.length)];
    if (found !== undefined && processes.length > 1) killOne(found.pid);
  }
  const survivors = (await ended).filter(({ signal }) => signal !== 'SIGKILL');
  for (const { code, stderr } of survivors) expect({ code, stderr }).toMatchObject({ code: 0 });
  const next = await importIn(sandbox, ['alpha', 'beta'], { node: node.path, env });
  expect(next.imported).toMatchObject({ alpha: { marker: 'alpha' }, beta: { marker: 'beta' } });
  expect(next.stderr).not.toContain('waiting for');
  expectClean(store, 2);
  return running.length - survivors.length;
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Expects a number of entries in a store, and nothing else. */
function expectClean(store: string, entries: number): void {
  const list = (name: string) => readdirSync(join(store, 'v1', name));
  expect(list('any')).toHaveLength(entries);
  for (const name of ['staging', 'locks', 'failures', 'retired']) expect(list(name)).toEqual([]);
}
